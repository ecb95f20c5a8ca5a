import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { goBuilder } from "./builder.ts";
import { findTinyGo } from "./tinygo.ts";

/** Of what a release has, what is looked for. */
const WHOLE = ["bin/tinygo", "bin/wasm-opt", "lib/wasi-libc/README", "src/runtime/gc.go", "targets/wasip1.json"];
const STATIC = "\x7fELF\x02\x01\x01 a program without a loader\0";

function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "cloche-tinygo-"));
  chmodSync(dir, 0o755);
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function plant(root: string, { without = "none", program = STATIC } = {}): string {
  for (const path of WHOLE.filter((name) => !name.startsWith(without))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), path === "bin/tinygo" ? program : "");
  }
  return root;
}

/** A program's head, as linkers write it, that names `loader`. */
const dynamic = (loader: string): string => `\x7fELF\x02\x01\x01${"\0".repeat(600)}${loader}\0${"x".repeat(9000)}`;

suite("the search for TinyGo", () => {
  test("finds the one whose command is in PATH, behind any link", (t) => {
    const dir = scratch(t);
    const root = plant(join(dir, "lib/tinygo"));
    mkdirSync(join(dir, "bin"));
    symlinkSync("../lib/tinygo/bin/tinygo", join(dir, "bin/tinygo"));

    const search = findTinyGo({ tinyGoRoot: undefined, path: [join(dir, "none"), join(dir, "bin")] }, false);
    assert.deepEqual(search, { found: true, tinyGo: { root, dynamicPrograms: [] } });
  });

  test("looks nowhere else than where the operator says, who can also want none", (t) => {
    const dir = scratch(t);
    const path = [join(plant(join(dir, "one")), "bin")];
    const two = join(dir, "two");

    assert.deepEqual(findTinyGo({ tinyGoRoot: two, path }, false), {
      ...{ found: false, reason: `no TinyGo at TINYGOROOT=${two}` },
    });
    assert.deepEqual(findTinyGo({ tinyGoRoot: "off", path }, false), { found: false, reason: undefined });
    assert.ok(findTinyGo({ tinyGoRoot: plant(two), path: [] }, false).found);
  });

  test("refuses one that is not whole, or that cannot run here, by name", (t) => {
    const dir = scratch(t);
    const why = (root: string): string | undefined => {
      const search = findTinyGo({ tinyGoRoot: root, path: [] }, false);
      return search.found ? undefined : search.reason;
    };
    const half = plant(join(dir, "half"), { without: "targets" });
    assert.equal(why(half), `TinyGo at ${half} lacks targets`);
    const other = plant(join(dir, "other"), { program: dynamic("/lib/ld-linux-of-no-machine.so.9") });
    assert.equal(why(other), `TinyGo at ${other} needs /lib/ld-linux-of-no-machine.so.9, which is not here`);
  });

  test("is not stopped by programs that cannot be read: a build will tell", (t) => {
    const root = plant(join(scratch(t), "tinygo"));
    for (const name of ["tinygo", "wasm-opt"]) {
      rmSync(join(root, "bin", name));
      mkdirSync(join(root, "bin", name));
    }

    assert.deepEqual(findTinyGo({ tinyGoRoot: root, path: [] }, false), {
      ...{ found: true, tinyGo: { root, dynamicPrograms: [] } },
    });
  });

  test("refuses one that the users of sandboxes cannot read, where they are others", (t) => {
    const dir = scratch(t);
    const root = plant(join(dir, "private/tinygo"));
    chmodSync(join(dir, "private"), 0o700);

    assert.ok(findTinyGo({ tinyGoRoot: root, path: [] }, false).found);
    const search = findTinyGo({ tinyGoRoot: root, path: [] }, true);
    assert.ok(!search.found);
    assert.equal(
      search.reason,
      `TinyGo at ${root} is behind ${join(dir, "private")}, which the users of sandboxes cannot pass`,
    );
  });

  test("tells its programs that need shared libraries, so that their boxes have those", (t) => {
    const loader = /\/[\w./-]*\/ld-[\w.-]+/.exec(readFileSync("/bin/sh").toString("latin1"))?.[0];
    if (loader === undefined) return t.skip("the shell of this machine is static");
    const root = plant(join(scratch(t), "tinygo"), { program: dynamic(loader) });

    const search = findTinyGo({ tinyGoRoot: root, path: [] }, false);
    assert.deepEqual(search, { found: true, tinyGo: { root, dynamicPrograms: [join(root, "bin/tinygo")] } });
  });
});

suite("the builder of Go", () => {
  const toolchain = { found: true, toolchain: { root: "/nowhere/go", version: "1.26.8" } } as const;
  const options = { cacheDir: undefined, limits: {}, fetches: false };

  test("names TinyGo and shows it to its boxes where it is there", () => {
    const tinyGo = { root: "/opt/tinygo", dynamicPrograms: ["/opt/tinygo/bin/tinygo"] };
    const builder = goBuilder(toolchain, { ...options, tinyGo: { found: true, tinyGo } });

    assert.ok(builder.found);
    assert.equal(builder.title, "Go 1.26.8, TinyGo");
    assert.deepEqual(builder.tinyGo, { path: "/opt/tinygo" });
    assert.deepEqual(builder.image.binds.at(-1), { from: "/opt/tinygo", to: "/rt/tinygo" });
    assert.deepEqual(builder.image.librariesOf, [process.execPath, "/opt/tinygo/bin/tinygo"]);
  });

  test("is as ever without it, and says why where one is there that cannot be used", () => {
    const none = goBuilder(toolchain, { ...options, tinyGo: { found: false, reason: undefined } });
    const unfit = goBuilder(toolchain, { ...options, tinyGo: { found: false, reason: "TinyGo at /x lacks lib" } });

    assert.ok(none.found && unfit.found);
    assert.deepEqual([none.title, unfit.title], ["Go 1.26.8", "Go 1.26.8"]);
    assert.deepEqual([none.tinyGo, unfit.tinyGo], [undefined, { reason: "TinyGo at /x lacks lib" }]);
    assert.deepEqual(
      [none, unfit].map(({ image }) => image.binds.length),
      [1, 1],
    );
  });
});
