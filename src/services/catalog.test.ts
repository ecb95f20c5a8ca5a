import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store, StoredVersion } from "../store/store.ts";
import { Catalog } from "./catalog.ts";
import { FakeRuntime } from "./fake-runtime.fixture.ts";
import { Programs } from "./programs.ts";

function stored(number: number, functionName = "f"): StoredVersion {
  return { functionName, number, language: "javascript", source: `v${number}`, egress: undefined, createdAtMs: 0 };
}

function catalogOf(...versions: StoredVersion[]) {
  let lookups = 0;
  const store = {
    findVersion(name: string, number: number | undefined) {
      lookups++;
      const own = versions.filter((version) => version.functionName === name);
      return Promise.resolve(number === undefined ? own.at(-1) : own.find((version) => version.number === number));
    },
    hasFunction: (name: string) => Promise.resolve(versions.some((version) => version.functionName === name)),
  } as unknown as Store;
  const catalog = new Catalog(store, new Programs([{ found: true, runtime: new FakeRuntime() }]), "public");
  return { catalog, versions, lookups: () => lookups };
}

test("a version is looked up once, then it is at hand", async () => {
  const { catalog, lookups } = catalogOf(stored(1), stored(2));
  const before = catalog.cached("f", undefined);
  const latest = await catalog.find("f", undefined);
  const again = await catalog.find("f", undefined);

  assert.equal(before, undefined);
  assert.deepEqual([latest.id, latest.program.code], ["f@2", "compiled v2"]);
  assert.equal(again, latest);
  assert.equal(catalog.cached("f", 2), latest);
  assert.equal(lookups(), 1);
});

test("an older version that is asked for by number does not become the latest", async () => {
  const { catalog } = catalogOf(stored(1), stored(2));
  await catalog.find("f", 1);

  assert.equal((await catalog.find("f", undefined)).number, 2);
});

test("an upload is in force for the next call", async () => {
  const { catalog } = catalogOf(stored(1));
  await catalog.find("f", undefined);
  await catalog.add(stored(3));

  assert.equal(catalog.cached("f", undefined)?.number, 3);
});

test("an answer of the store that is older than an upload does not undo it", async () => {
  const { catalog } = catalogOf(stored(1));
  const lookup = catalog.find("f", undefined);
  await catalog.add(stored(3));
  await lookup;

  assert.equal(catalog.cached("f", undefined)?.number, 3);
});

test("a missing function is told from a missing version", async () => {
  const { catalog } = catalogOf(stored(1));

  await assert.rejects(catalog.find("g", undefined), { code: "FUNCTION_NOT_FOUND" });
  await assert.rejects(catalog.find("g", 1), { code: "FUNCTION_NOT_FOUND" });
  await assert.rejects(catalog.find("f", 9), { code: "VERSION_NOT_FOUND", message: 'function "f" has no version 9' });
});

test("a version has the egress that it was uploaded with, as far as it is allowed today", async () => {
  const { catalog } = catalogOf(
    { ...stored(1), egress: "none" },
    { ...stored(2), egress: ["api.example.com"] },
    { ...stored(3), egress: "all" },
    stored(4),
  );
  const found = await Promise.all([1, 2, 3, 4].map((number) => catalog.find("f", number)));

  assert.deepEqual(
    found.map(({ egress }) => egress),
    ["none", ["api.example.com"], "public", "public"],
  );
});
