// What a build does with TinyGo, in real boxes. No real TinyGo was run: see the stand-in for why, and what it shows and what it cannot.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { BuildsUnderTest, hasGo } from "./builds-under-test.ts";
import { MARK, plantStandIn, type Wish } from "./tinygo-stand-in.fixture.ts";

/** What prints who compiled it. */
function program(wish?: Wish): { readonly "main.go": string } {
  const line = wish === undefined ? "" : `// stand-in: ${wish}\n`;
  return { "main.go": `${line}package main\n\nvar by = "Go"\n\nfunc main() { println("compiled by", by) }\n` };
}

const RUN_WASM = `
  const { readFileSync } = require("node:fs");
  const { WASI } = require("node:wasi");
  const wasi = new WASI({ version: "preview1", stderr: 1 });
  WebAssembly.instantiate(readFileSync(process.argv[1]), wasi.getImportObject()).then(({ instance }) => wasi.start(instance));
`;

suite("a build, where TinyGo is,", { skip: hasGo ? false : "there is no Go here" }, () => {
  const dir = mkdtempSync(join(tmpdir(), "cloche-tinygo-"));
  let builds: BuildsUnderTest;

  before(async () => {
    chmodSync(dir, 0o755);
    builds = await BuildsUnderTest.open({ tinyGoRoot: plantStandIn(join(dir, "tinygo")) });
  });
  after(async () => {
    await builds.close();
    rmSync(dir, { recursive: true, force: true });
  });

  function run(module: Buffer | undefined): string {
    const file = join(dir, "program.wasm");
    writeFileSync(file, module ?? assert.fail("there is no module"));
    return execFileSync(process.execPath, ["--no-warnings", "-e", RUN_WASM, file], { encoding: "utf8", env: {} });
  }

  test("takes the module from it, and the executable from Go", async () => {
    const { artifacts, warnings } = await builds.build(program(), "", ["native", "wasm"]);

    assert.equal(run(artifacts.wasm), `compiled by ${MARK}\n`);
    assert.ok(artifacts.native?.includes("Go") === true && !artifacts.native.includes(MARK));
    assert.deepEqual(warnings, []);
    builds.assertNothingLeft();
  });

  test("takes Go's module where TinyGo cannot compile the program, and says why", async () => {
    const whys = {
      fail: "main.go:3:8: undefined: os.Missing",
      "fail-inside": "TINYGOROOT/src/os/file.go:1:1: not implemented",
      "refuse-go": /^error: requires go version 1\.18 through 1\.19, got go1\.\d+/,
      browser: /^its module needs gojs\.\S+, which is not of WASI preview 1$/,
      nothing: /^its module is of no use: ENOENT/,
    };
    for (const [wish, why] of Object.entries(whys)) {
      const { artifacts, warnings } = await builds.build(program(wish as Wish), "", ["wasm"]);

      assert.equal(run(artifacts.wasm), "compiled by Go\n", wish);
      const [warning = "", ...others] = warnings;
      const start = "wasm: Go compiled it, as TinyGo could not: ";
      assert.ok(warning.startsWith(start), warning);
      if (typeof why === "string") assert.equal(warning.slice(start.length), why);
      else assert.match(warning.slice(start.length), why);
      assert.doesNotMatch(warning, /\/tmp\/|\/rt\//);
      assert.deepEqual(others, []);
    }
  });

  test("that neither of the two compiles fails with what Go says", async () => {
    const broken = { "main.go": `${program("fail")["main.go"]}\nfunc other() { missing() }\n` };
    const { message } = await builds.fails(broken, "", ["wasm"]);

    assert.equal(message, "main.go:8:16: undefined: missing");
  });
});

test(
  "a TinyGo that never ends is ended, with what it started, in time for Go",
  { skip: hasGo ? false : "there is no Go here" },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "cloche-tinygo-"));
    chmodSync(dir, 0o755);
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const tinyGoRoot = plantStandIn(join(dir, "tinygo"));
    const builds = await BuildsUnderTest.open({ tinyGoRoot, limits: { timeoutMs: 20_000 } });
    t.after(() => builds.close());
    const { artifacts, warnings } = await builds.build(program("hang"), "", ["wasm"]);

    assert.deepEqual(Object.keys(artifacts), ["wasm"]);
    assert.match(warnings.join(), /^wasm: Go compiled it, as TinyGo could not: it took longer than (?:[1-9]|10) s$/);
    builds.assertNothingLeft();
  },
);
