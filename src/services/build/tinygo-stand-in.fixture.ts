// Instead of a real TinyGo, which is in no registry that tests could install it from: a program in the place of its command, which looks
// at its arguments and environment as the real one does (`goenv`, `main.go`, `loader/list.go` of TinyGo) and then lets Go compile. So the
// tests show that the server asks for the right thing and copes with each answer, and not that a real TinyGo gives it.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** In a source, what the stand-in is to do with it: `// stand-in: hang`. */
export type Wish = "fail" | "fail-inside" | "refuse-go" | "hang" | "browser" | "nothing";

/** What `var by = "Go"` of a program is where it made the module. */
export const MARK = "the-stand-in";

const PROGRAM = `#!/rt/node
const { execFileSync, spawn, spawnSync } = require("node:child_process");
const { accessSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const paths = require("node:path");
const { env } = process;
const fail = (text) => { process.stderr.write(text + "\\n"); process.exit(1); };

// As goenv.Get: its own root, then what the go command in PATH says.
const root = env.TINYGOROOT || paths.dirname(paths.dirname(process.argv[1]));
for (const part of ["lib", "src", "targets"]) accessSync(paths.join(root, part));
const go = JSON.parse(execFileSync("go", ["env", "-json", "GOROOT", "GOVERSION", "GOFLAGS"], { env }).toString());
if (!/^go1\\.\\d+/.test(go.GOVERSION)) fail("could not parse Go version");
if (env.GOOS !== "wasip1" || env.GOARCH !== "wasm") fail("expected a target, got " + env.GOOS + "/" + env.GOARCH);
try { writeFileSync(paths.join(root, "src/written"), ""); fail("the root can be written"); } catch {}

// As main.go: flags, then at most one package.
const [command, ...rest] = process.argv.slice(2);
if (command !== "build") fail("unknown command " + command);
let out = "";
const packages = [];
for (let at = 0; at < rest.length; at += 1) {
  if (rest[at] === "-o") out = rest[(at += 1)];
  else if (rest[at] === "-no-debug") continue;
  else if (rest[at].startsWith("-")) fail("flag provided but not defined: " + rest[at]);
  else packages.push(rest[at]);
}
if (packages.length !== 1) fail("build only accepts a single positional argument");
if (paths.extname(out) === ".wasm") fail("this is for browsers");

// As loader.GetCachedGoroot: it needs a cache of its own, in the user's cache folder.
const cache = paths.join(env.XDG_CACHE_HOME || paths.join(env.HOME, ".cache"), "tinygo");
mkdirSync(cache, { recursive: true });
writeFileSync(paths.join(cache, "goroot"), "");

const wish = /^\\/\\/ stand-in: ([\\w-]+)$/m.exec(readFileSync("main.go", "utf8"))?.[1];
if (wish === "fail") fail("# command-line-arguments\\nmain.go:3:8: undefined: os.Missing");
if (wish === "fail-inside") fail("# os\\n" + root + "/src/os/file.go:1:1: not implemented");
if (wish === "refuse-go") fail("error: requires go version 1.18 through 1.19, got " + go.GOVERSION);
if (wish === "nothing") process.exit(0);
if (wish === "hang") { spawn("/rt/node", ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" }); setInterval(() => {}, 1000); }
else {
  const args = ["build", "-ldflags=-s -w -X main.by=${MARK}", "-o", out, packages[0]];
  const run = spawnSync("go", args, { env: { ...env, GOOS: wish === "browser" ? "js" : "wasip1", CGO_ENABLED: "0" }, encoding: "utf8" });
  process.stderr.write(run.stderr);
  process.exit(run.status ?? 1);
}
`;

/** Plants it in `root`, with what else of a release is looked for. */
export function plantStandIn(root: string): string {
  for (const part of ["lib/README", "src/README", "targets/wasip1.json"]) {
    mkdirSync(dirname(join(root, part)), { recursive: true });
    writeFileSync(join(root, part), "");
  }
  mkdirSync(join(root, "bin"), { recursive: true });
  writeFileSync(join(root, "bin/tinygo"), PROGRAM);
  for (const folder of [root, join(root, "bin"), join(root, "lib"), join(root, "src"), join(root, "targets")]) {
    chmodSync(folder, 0o755);
  }
  chmodSync(join(root, "bin/tinygo"), 0o755);
  return root;
}
