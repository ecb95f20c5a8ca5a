import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { findToolchain, mountsOf } from "./toolchain.ts";

const WHOLE = [
  "bin/go",
  "src/fmt/print.go",
  "lib/time/zoneinfo.zip",
  "pkg/tool/linux_amd64/compile",
  "pkg/include/textflag.h",
];

function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "cloche-toolchain-"));
  chmodSync(dir, 0o755);
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function plant(root: string, version: string, files: readonly string[] = WHOLE): string {
  for (const path of files) place(join(root, path), "");
  place(join(root, "VERSION"), `go${version}\ntime 2026-01-01T00:00:00Z\n`);
  return root;
}

function place(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

suite("the search for Go", () => {
  test("finds the one whose command is in PATH, behind any link", (t) => {
    const dir = scratch(t);
    const root = plant(join(dir, "opt/go1.26"), "1.26.8");
    mkdirSync(join(dir, "bin"));
    symlinkSync(join(root, "bin/go"), join(dir, "bin/go"));

    const search = findToolchain({ goRoot: undefined, path: [join(dir, "none"), join(dir, "bin")] }, false);
    assert.deepEqual(search, { found: true, toolchain: { root, version: "1.26.8" } });
  });

  test("looks nowhere else than where the operator says", (t) => {
    const dir = scratch(t);
    const inPath = plant(join(dir, "one"), "1.26.8");
    const search = findToolchain({ goRoot: join(dir, "two"), path: [join(inPath, "bin")] }, false);

    assert.ok(!search.found);
    assert.ok(search.reason.startsWith(`no Go at GOROOT=${join(dir, "two")}; Go 1.21 or newer is needed: unpack it`));
  });

  test("refuses an old one, and one that is not whole, by name", (t) => {
    const dir = scratch(t);
    const why = (root: string): string => {
      const search = findToolchain({ goRoot: root, path: [] }, false);
      return search.found ? "" : (search.reason.split(";")[0] ?? "");
    };
    const old = plant(join(dir, "old"), "1.20.14");
    assert.equal(why(old), `Go 1.20.14 at ${old} is too old`);
    const half = plant(join(dir, "half"), "1.21.0", ["bin/go", "pkg/tool/x/compile"]);
    assert.equal(why(half), `Go 1.21.0 at ${half} lacks src`);
    assert.equal(why(plant(join(dir, "whole"), "1.21.0")), "");
  });

  test("refuses one that the users of sandboxes cannot read, where they are others", (t) => {
    const dir = scratch(t);
    const root = plant(join(dir, "private/go"), "1.26.8");
    chmodSync(join(dir, "private"), 0o700);

    assert.ok(findToolchain({ goRoot: root, path: [] }, false).found);
    const search = findToolchain({ goRoot: root, path: [] }, true);
    assert.ok(!search.found);
    assert.ok(search.reason.includes(`is behind ${join(dir, "private")}, which the users of sandboxes cannot pass`));
  });

  test("shows each part where it lies: Debian spreads them, with links from one to the other", (t) => {
    const dir = scratch(t);
    const share = plant(join(dir, "share/go-1.24"), "1.24.4", ["src/fmt/print.go", "pkg/include/textflag.h"]);
    const root = plant(join(dir, "lib/go-1.24"), "1.24.4", ["bin/go", "pkg/tool/linux_amd64/compile"]);
    symlinkSync("../../share/go-1.24/src", join(root, "src"));
    symlinkSync("../../../share/go-1.24/pkg/include", join(root, "pkg/include"));

    assert.deepEqual(mountsOf({ root, version: "1.24.4" }, "/rt/go"), [
      { from: join(root, "bin"), to: "/rt/go/bin" },
      { from: join(share, "src"), to: "/rt/go/src" },
      { from: join(root, "pkg/tool"), to: "/rt/go/pkg/tool" },
      { from: join(share, "pkg/include"), to: "/rt/go/pkg/include" },
      { from: join(root, "VERSION"), to: "/rt/go/VERSION" },
    ]);
  });
});
