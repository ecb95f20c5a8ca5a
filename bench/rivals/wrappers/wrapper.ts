const { transformSync } = require("esbuild");
const { code, input } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
(globalThis as any).event = JSON.parse(input);
const js = transformSync(`(async () => {${code}\n})()`, { loader: "ts", format: "cjs", target: "node18" }).code;
(0, eval)(js).then((value: unknown) => console.log(JSON.stringify(value)));
