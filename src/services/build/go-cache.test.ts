import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { openGoCache } from "./go-cache.ts";

const NAME = `${"0a".repeat(32)}-d`;

function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "cloche-go-cache-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

suite("the shared build cache", () => {
  test("has its own folder for each toolchain, and remembers what is complete", (t) => {
    const dataDir = scratch(t);
    const cache = openGoCache({ key: ["1.26.8"], dataDir, asRoot: false });
    const other = openGoCache({ key: ["1.26.9"], dataDir, asRoot: false });
    cache?.complete("native");

    assert.notEqual(cache?.dir, other?.dir);
    assert.deepEqual([cache?.has("native"), cache?.has("wasm"), other?.has("native")], [true, false, false]);
    assert.equal(openGoCache({ key: ["1.26.8"], dataDir, asRoot: false })?.has("native"), true);
  });

  test("keeps entries for all to read and nobody else to write, whatever the umask", (t) => {
    const before = process.umask(0o077);
    t.after(() => process.umask(before));
    const cache = openGoCache({ key: ["x"], dataDir: scratch(t), asRoot: false }) ?? assert.fail("no cache");
    cache.add({ name: NAME, content: Buffer.from("first") });
    cache.add({ name: NAME, content: Buffer.from("second") }); // what is there stays
    const file = join(cache.dir, "0a", NAME);

    assert.equal(readFileSync(file, "utf8"), "first");
    const modes = [file, dirname(file), cache.dir].map((path) => (statSync(path).mode & 0o777).toString(8));
    assert.deepEqual(modes, ["644", "755", "755"]);
  });

  test("takes no name that is none of Go's", (t) => {
    const cache = openGoCache({ key: ["x"], dataDir: scratch(t), asRoot: false }) ?? assert.fail("no cache");
    for (const name of ["../../x", `${"0a".repeat(32)}-d/../x`, "", `${"0A".repeat(32)}-d`, `${NAME}\n`]) {
      assert.throws(() => cache.add({ name, content: Buffer.alloc(1) }), /is no entry of a build cache/);
    }
  });

  test("is not used where others can write to it, or where it cannot be made", (t) => {
    const dataDir = scratch(t);
    mkdirSync(join(dataDir, "go-cache"));
    chmodSync(join(dataDir, "go-cache"), 0o777);
    assert.equal(openGoCache({ key: ["x"], dataDir, asRoot: false }), undefined);
    const file = join(dataDir, "file");
    writeFileSync(file, "");
    assert.equal(openGoCache({ key: ["x"], dataDir: file, asRoot: false }), undefined);
  });
});
