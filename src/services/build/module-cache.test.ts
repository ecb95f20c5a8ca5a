import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { cachedName, type ModuleCache, openModuleCache } from "./module-cache.ts";
import type { ModuleFile } from "./go-sum.ts";

const HOUR_S = 3600;

function file(digit: string): ModuleFile {
  return { name: `example.org/${digit}/@v/v1.0.0.zip`, kind: "zip", hash: digit.repeat(64) };
}

function open(t: TestContext, maxBytes?: number): ModuleCache {
  const dataDir = mkdtempSync(join(tmpdir(), "cloche-modules-"));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const bounds = maxBytes === undefined ? {} : { maxBytes };
  return openModuleCache({ dataDir, asRoot: false, clock: systemClock, ...bounds }) ?? assert.fail("no cache");
}

function age(cache: ModuleCache, one: ModuleFile, hours: number): void {
  const timeS = Date.now() / 1000 - hours * HOUR_S;
  utimesSync(join(cache.dir, cachedName(one)), timeS, timeS);
}

suite("the folder of the module cache", () => {
  test("has what was added, under its hash", async (t) => {
    const cache = open(t);
    assert.equal(await cache.use(file("a")), false);
    await cache.add(file("a"), Buffer.from("content"));

    assert.equal(await cache.use(file("a")), true);
    assert.equal(await cache.use({ ...file("a"), kind: "mod" }), false);
    assert.deepEqual(readdirSync(cache.dir), [`${"a".repeat(64)}.zip`]);
    assert.equal(readFileSync(join(cache.dir, `${"a".repeat(64)}.zip`), "utf8"), "content");
  });

  test("throws away what was not used for longest", async (t) => {
    const cache = open(t, 250);
    for (const digit of ["a", "b"]) {
      await cache.add(file(digit), Buffer.alloc(100));
      age(cache, file(digit), digit === "a" ? 48 : 24);
    }
    await cache.use(file("a")); // the older one is the one that is used
    await cache.add(file("c"), Buffer.alloc(100));

    const there = await Promise.all(["a", "b", "c"].map((digit) => cache.use(file(digit))));
    assert.deepEqual(there, [true, false, true]);
  });

  test("stays within its bound when many come at once", async (t) => {
    const cache = open(t, 250);
    await Promise.all("0123456789abcdef".split("").map((digit) => cache.add(file(digit), Buffer.alloc(100))));

    assert.equal(readdirSync(cache.dir).length, 2);
  });

  test("has nothing of a server that has died while it wrote", async (t) => {
    const cache = open(t);
    const [dead, alive] = [join(cache.dir, ".dead"), join(cache.dir, ".alive")];
    for (const path of [dead, alive]) writeFileSync(path, "half");
    const timeS = Date.now() / 1000 - 2 * HOUR_S;
    utimesSync(dead, timeS, timeS);
    await cache.add(file("a"), Buffer.from("x"));

    assert.deepEqual(readdirSync(cache.dir).toSorted(), [".alive", cachedName(file("a"))]);
  });

  test("can be passed by all and listed and written by nobody else, whatever the umask", async (t) => {
    const before = process.umask(0o077);
    t.after(() => process.umask(before));
    const cache = open(t);
    await cache.add(file("a"), Buffer.from("x"));

    assert.equal(statSync(cache.dir).mode & 0o777, 0o711);
    assert.equal(statSync(join(cache.dir, cachedName(file("a")))).mode & 0o777, 0o644);
  });

  test("is not used where others can write to it", (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), "cloche-modules-"));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    mkdirSync(join(dataDir, "go-modules"));
    chmodSync(join(dataDir, "go-modules"), 0o777);

    assert.equal(openModuleCache({ dataDir, asRoot: false, clock: systemClock }), undefined);
  });
});
