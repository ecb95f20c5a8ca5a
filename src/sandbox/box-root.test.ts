import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type BaseImage, ROOT } from "../core/base-image.ts";
import { barredFolder, prepareBoxRoot } from "./box-root.ts";

function workshop(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "cloche-root-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  chmodSync(dir, 0o755);
  writeFileSync(join(dir, "shim.js"), "shim", { mode: 0o600 });
  writeFileSync(join(dir, "tool"), "tool", { mode: 0o755 });
  mkdirSync(join(dir, "lib"));
  return dir;
}

function image(dir: string): BaseImage {
  return {
    base: "node",
    command: ["/rt/tool"],
    copies: [{ from: join(dir, "shim.js"), to: "/deep/er/shim.js" }],
    binds: [
      { from: join(dir, "tool"), to: "/rt/tool" },
      { from: join(dir, "lib"), to: "/rt/lib" },
    ],
    devices: [],
    librariesOf: [process.execPath],
    env: {},
  };
}

test("a root holds the copies, the mount points and the libraries, readable by all and writable by nobody else", (t) => {
  const dir = workshop(t);
  const root = join(dir, "roots/node");
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  const binds = prepareBoxRoot(root, image(dir));

  assert.equal(readFileSync(join(root, "deep/er/shim.js"), "utf8"), "shim");
  for (const name of ["dev", "proc", "tmp", "rt/lib"]) assert.ok(statSync(join(root, name)).isDirectory(), name);
  assert.ok(readdirSync(root, { recursive: true, encoding: "utf8" }).some((path) => path.endsWith("libc.so.6")));
  assert.deepEqual(binds, [{ from: join(dir, "lib"), to: "/rt/lib" }]);
  assert.equal(readFileSync(join(root, "rt/tool"), "utf8"), "tool");
  for (const path of [".", ...readdirSync(root, { recursive: true, encoding: "utf8" })]) {
    const stats = statSync(join(root, path));
    assert.equal(stats.mode & 0o022, 0, `${path} is nobody's to write`);
    if (stats.isDirectory() || path.endsWith("shim.js") || path.endsWith("tool"))
      assert.equal(stats.mode & 0o555, 0o555, `${path} is all's to read`);
  }
});

test("copies are compiled when they are in place, for all to read", (t) => {
  const dir = workshop(t);
  const root = join(dir, "root");
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  prepareBoxRoot(root, { ...image(dir), compile: ["/bin/sh", "-c", 'cp "$0/deep/er/shim.js" "$0/compiled"', ROOT] });

  assert.equal(readFileSync(join(root, "compiled"), "utf8"), "shim");
  assert.equal(statSync(join(root, "compiled")).mode & 0o077, 0o055);
  assert.equal(process.umask(), 0o077);
});

test("a root is made afresh: nothing of the last one stays", (t) => {
  const dir = workshop(t);
  const root = join(dir, "root");
  prepareBoxRoot(root, image(dir));
  writeFileSync(join(root, "left"), "x");
  prepareBoxRoot(root, image(dir));

  assert.equal(existsSync(join(root, "left")), false);
});

test("a file that is not for all to read is, as part of the root", (t) => {
  const dir = workshop(t);
  const root = join(dir, "root");
  chmodSync(join(dir, "tool"), 0o700);
  prepareBoxRoot(root, image(dir));

  assert.equal(statSync(join(root, "rt/tool")).mode & 0o777, 0o755);
  assert.equal(statSync(join(dir, "tool")).mode & 0o777, 0o700);
});

test("a file that other users cannot reach where it lies becomes part of the root", (t) => {
  const dir = workshop(t);
  const barred = join(dir, "private");
  mkdirSync(barred, { mode: 0o700 });
  writeFileSync(join(barred, "tool"), "secret place", { mode: 0o755 });
  const root = join(dir, "root");
  const binds = prepareBoxRoot(root, { ...image(dir), binds: [{ from: join(barred, "tool"), to: "/rt/tool" }] });

  assert.deepEqual(binds, []);
  assert.equal(readFileSync(join(root, "rt/tool"), "utf8"), "secret place");
  assert.equal(barredFolder(join(barred, "tool")), barred);
  assert.equal(barredFolder(join(dir, "tool")), undefined);
});
