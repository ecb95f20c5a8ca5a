const { code, input } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
globalThis.event = JSON.parse(input);
const AsyncFunction = (async () => {}).constructor;
new AsyncFunction("require", code)(require).then((value) => console.log(JSON.stringify(value)));
