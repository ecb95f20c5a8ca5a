import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DEFAULT_SETTINGS, type FunctionSettings } from "../core/function.ts";
import type { Version } from "../core/program.ts";
import type { Store, StoredAlias, StoredFunction, StoredVersion } from "../store/store.ts";
import { Catalog } from "./catalog.ts";
import { FakeRuntime } from "./fake-runtime.fixture.ts";
import { Programs } from "./programs.ts";
import type { Variables } from "./variables.ts";

function stored(number: number, changes: Partial<StoredVersion> = {}): StoredVersion {
  return {
    ...{ functionId: "id-f", functionName: "f", number, language: "javascript", source: `v${number}` },
    ...{
      entry: undefined,
      files: {},
      artifacts: {},
      mode: undefined,
      upload: undefined,
      style: undefined,
      egress: undefined,
      createdBy: undefined,
      createdAtMs: 0,
    },
    ...{ contentHash: "", sizeBytes: 2 },
    ...changes,
  };
}

function functionNamed(
  name: string,
  activeVersion: number | undefined = 2,
  settings: Partial<FunctionSettings> = {},
): StoredFunction {
  const times = { createdAtMs: 0, updatedAtMs: 0 };
  return {
    ...{ id: `id-${name}`, name, settings: { ...DEFAULT_SETTINGS, ...settings }, activeVersion },
    ...{ language: "javascript", ...times },
  };
}

/** A catalog over functions and the versions of `f`. */
async function catalogOf(
  functions: readonly StoredFunction[] = [functionNamed("f")],
  versions: readonly StoredVersion[] = [stored(1), stored(2), stored(3)],
  aliases: readonly StoredAlias[] = [],
) {
  let lookups = 0;
  let blobs = 0;
  const stale: string[] = [];
  const env: Record<string, string> = { A: "1" };
  const hold = { lookup: Promise.resolve(), bytes: Promise.resolve() };
  const store = {
    listFunctions: () => Promise.resolve({ items: functions, cursor: undefined }),
    async findVersion(functionId: string, number: number) {
      lookups++;
      await hold.lookup;
      return versions.find((version) => version.functionId === functionId && version.number === number);
    },
    listAliases: () => Promise.resolve(aliases),
    async findBlob(hash: string) {
      blobs++;
      await hold.bytes;
      return hash === "" ? undefined : Buffer.from(hash);
    },
  } as unknown as Store;
  const variables = { load: () => Promise.resolve({ env: { ...env }, secrets: ["s"] }) } as unknown as Variables;
  const programs = new Programs([{ found: true, runtime: new FakeRuntime(["javascript", "native", "wasm"]) }]);
  const onStale = (id: string): unknown => stale.push(id);
  const catalog = await Catalog.open({ store, programs, variables, egress: "public", onStale });
  return { catalog, stale, env, hold, lookups: () => lookups, blobs: () => blobs };
}

suite("a version", () => {
  test("is looked up once, then it is at hand", async () => {
    const { catalog, lookups } = await catalogOf();
    const before = catalog.cached("f", undefined);
    const active = await catalog.find("f", undefined);
    const again = await catalog.find("f", undefined);

    assert.equal(before, undefined);
    assert.deepEqual([active.function?.number, active.program.code], [2, "compiled v2"]);
    assert.equal(again, active);
    assert.equal(catalog.cached("f", 2), active);
    assert.equal(catalog.cached("f", undefined), active);
    assert.equal(lookups(), 1);
  });

  test("that is asked for by number does not become the active one", async () => {
    const { catalog } = await catalogOf();
    await catalog.find("f", 1);

    assert.equal((await catalog.find("f", undefined)).function?.number, 2);
  });

  test("becomes active for the next call", async () => {
    const { catalog, stale } = await catalogOf();
    await catalog.find("f", undefined);
    catalog.put(functionNamed("f", 3));

    assert.equal((await catalog.find("f", undefined)).function?.number, 3);
    assert.deepEqual(stale, [], "a worker of version 2 is as good as before");
  });

  test("that is missing is told from a function that is, and from one without versions", async () => {
    const { catalog } = await catalogOf([functionNamed("f"), { ...functionNamed("empty"), activeVersion: undefined }]);

    await assert.rejects(catalog.find("g", undefined), { code: "FUNCTION_NOT_FOUND" });
    await assert.rejects(catalog.find("g", 1), { code: "FUNCTION_NOT_FOUND" });
    await assert.rejects(catalog.find("f", 9), { code: "VERSION_NOT_FOUND", message: 'function "f" has no version 9' });
    await assert.rejects(catalog.find("empty", undefined), { code: "VERSION_NOT_FOUND" });
  });

  test("has the egress that it was uploaded with, else its function's, as far as it is allowed today", async () => {
    const versions = [
      stored(1, { egress: "none" }),
      stored(2, { egress: ["api.example.com"] }),
      stored(3, { egress: "all" }),
      stored(4),
    ];
    const { catalog } = await catalogOf([functionNamed("f", 2, { egress: ["other.example.com"] })], versions);
    const found = await Promise.all([1, 2, 3, 4].map((number) => catalog.find("f", number)));

    assert.deepEqual(
      found.map(({ egress }) => egress),
      ["none", ["api.example.com"], "public", ["other.example.com"]],
    );
  });

  test("takes several calls at once only where its code can", async () => {
    const versions = [stored(1, { style: "script" }), stored(2, { style: "web" })];
    const { catalog } = await catalogOf([functionNamed("f", 2, { concurrency: 8, isolation: "fresh" })], versions);
    const [script, web] = await Promise.all([catalog.find("f", 1), catalog.find("f", 2)]);

    assert.deepEqual([script.concurrency, web.concurrency, web.singleUse], [1, 8, true]);
  });

  test("is bound anew after its variables or settings have changed", async () => {
    const { catalog, stale, env } = await catalogOf();
    const before = await catalog.find("f", undefined);
    env["A"] = "2";
    catalog.rebind("id-f");
    const after = await catalog.find("f", undefined);
    catalog.put(functionNamed("f", 2, { concurrency: 2 }));
    const last = await catalog.find("f", undefined);

    assert.deepEqual([before.env, after.env, last.concurrency], [{ A: "1" }, { A: "2" }, 2]);
    assert.deepEqual(stale, [before.id, after.id]);
    assert.equal(new Set([before.id, after.id, last.id]).size, 3);
  });

  test("that was being looked up while something changed is not kept as it was", async () => {
    const { catalog, env, hold } = await catalogOf();
    const held = Promise.withResolvers<void>();
    hold.lookup = held.promise;
    const slow = catalog.find("f", undefined);
    catalog.rebind("id-f");
    env["A"] = "2";
    held.resolve();
    await slow;

    assert.deepEqual((await catalog.find("f", undefined)).env, { A: "2" });
  });

  test("of a disabled or removed function is refused", async () => {
    const { catalog } = await catalogOf();
    await catalog.find("f", undefined);
    catalog.put(functionNamed("f", 2, { disabled: true }));

    assert.equal(catalog.cached("f", undefined), undefined);
    await assert.rejects(catalog.find("f", undefined), { code: "FUNCTION_DISABLED" });
    catalog.remove("id-f");
    await assert.rejects(catalog.find("f", undefined), { code: "FUNCTION_NOT_FOUND" });
    assert.equal(catalog.size, 0);
  });
});

suite("a version with programs", () => {
  const both = { native: { hash: "an ELF", sizeBytes: 6 }, wasm: { hash: "a module", sizeBytes: 8 } };
  const codeOf = ({ program }: Version): string => program.code.toString();

  test("is run as the one that it was stored with, unless the call asks for the other", async () => {
    const { catalog } = await catalogOf(undefined, [stored(2, { artifacts: both, mode: "wasm" })]);
    const f = catalog.require("f");
    const own = await catalog.version(f);
    const other = await catalog.version(f, 2, "native");

    assert.deepEqual([codeOf(own), codeOf(other)], ["a module", "an ELF"]);
    assert.notEqual(own.id, other.id, "no worker of one serves the other");
    assert.equal(await catalog.version(f, 2, "wasm"), own);
    assert.equal(await catalog.version(f, 2, "native"), other);
    assert.equal(catalog.cached("f", undefined), own);
  });

  test("is read once, also for callers who come at once", async () => {
    const { catalog, blobs, lookups } = await catalogOf(undefined, [stored(2, { artifacts: both, mode: "wasm" })]);
    const all = await Promise.all(Array.from({ length: 20 }, () => catalog.find("f", undefined)));

    assert.equal(new Set(all).size, 1);
    assert.deepEqual([lookups(), blobs()], [1, 1]);
  });

  test("has no other program than its own", async () => {
    const artifacts = { native: both.native };
    const { catalog } = await catalogOf(undefined, [stored(1), stored(2, { artifacts, mode: "native" })]);
    const f = catalog.require("f");

    const message = 'mode: version 2 of function "f" has no wasm program';
    await assert.rejects(catalog.version(f, 2, "wasm"), { code: "INVALID_REQUEST", message });
    await assert.rejects(catalog.version(f, 1, "native"), { code: "INVALID_REQUEST" });
  });

  test("that is removed, or bound anew, is so in each of its modes", async () => {
    const { catalog, stale, lookups } = await catalogOf(undefined, [stored(2, { artifacts: both, mode: "wasm" })]);
    const f = catalog.require("f");
    const before = [await catalog.version(f, 2, "native"), await catalog.version(f)];
    catalog.rebind("id-f");
    assert.deepEqual(stale.toSorted(), before.map(({ id }) => id).toSorted());

    const again = await catalog.version(f, 2, "native");
    catalog.removeVersion("id-f", 2);
    assert.equal(stale.at(-1), again.id);
    await catalog.version(f, 2, "native");
    assert.equal(lookups(), 4);
  });

  test("whose bytes are gone says so", async () => {
    const artifacts = { wasm: { hash: "", sizeBytes: 0 } };
    const { catalog } = await catalogOf(undefined, [stored(2, { artifacts, mode: "wasm" })]);

    await assert.rejects(catalog.find("f", undefined), { code: "VERSION_NOT_FOUND", message: /has lost its program/ });
  });

  test("that was being read while it was bound anew is not kept as it was", async () => {
    const { catalog, hold, blobs } = await catalogOf(undefined, [stored(2, { artifacts: both, mode: "wasm" })]);
    const held = Promise.withResolvers<void>();
    hold.bytes = held.promise;
    const slow = catalog.find("f", undefined);
    while (blobs() === 0) await new Promise((resolve) => setImmediate(resolve));
    catalog.rebind("id-f");
    held.resolve();
    const old = await slow;

    assert.notEqual(await catalog.find("f", undefined), old);
    assert.equal(blobs(), 2);
  });
});

suite("a path", () => {
  const names = ["math", "math/add", "files.v1", "a@b"];

  const cases: Readonly<Record<string, readonly [name: string, pin: string | undefined, relativePath: string]>> = {
    math: ["math", undefined, "/"],
    "math/": ["math", undefined, "/"],
    "math/add": ["math/add", undefined, "/"],
    "math/add/1/2": ["math/add", undefined, "/1/2"],
    "math/addition": ["math", undefined, "/addition"],
    "math@3/add": ["math", "3", "/add"],
    "math/add@canary/x": ["math/add", "canary", "/x"],
    "id-math/x": ["math", undefined, "/x"],
    "a@b": ["a@b", undefined, "/"],
    "a@b@2/c": ["a@b", "2", "/c"],
  };
  for (const [path, [name, pin, relativePath]] of Object.entries(cases)) {
    test(`${path} means ${name}, ${pin ?? "no pin"}, ${relativePath}`, async () => {
      const { catalog } = await catalogOf(names.map((each) => functionNamed(each)));
      const match = catalog.match(path);

      assert.deepEqual([match?.stored.name, match?.pin, match?.relativePath], [name, pin, relativePath]);
    });
  }

  test("that no function's name begins means nothing", async () => {
    const { catalog } = await catalogOf(names.map((each) => functionNamed(each)));

    for (const path of ["", "/", "mat", "maths", "unknown/math", "files"])
      assert.equal(catalog.match(path), undefined, path);
  });

  test("means a function by its new name as soon as it has one", async () => {
    const { catalog } = await catalogOf();
    catalog.put({ ...functionNamed("g"), id: "id-f" });

    assert.equal(catalog.match("f"), undefined);
    assert.equal(catalog.match("g")?.stored.id, "id-f");
  });
});

suite("a pin", () => {
  const canary = {
    name: "canary",
    targets: [
      { version: 1, weight: 25 },
      { version: 3, weight: 75 },
    ],
  };

  test("is a number, an alias, or nothing: then the active version", async () => {
    const { catalog } = await catalogOf(undefined, undefined, [
      { name: "old", targets: [{ version: 1, weight: 100 }] },
    ]);
    const f = catalog.require("f");
    const numbers = await Promise.all(
      ["3", "old", "live", undefined].map(async (pin) => (await catalog.pinned(f, pin)).function?.number),
    );

    assert.deepEqual(numbers, [3, 1, 2, 2]);
    await assert.rejects(catalog.pinned(f, "nope"), { code: "VERSION_NOT_FOUND" });
    await assert.rejects(catalog.pinned(f, "99"), { code: "VERSION_NOT_FOUND" });
  });

  test("to an alias with two versions gives each its share", async () => {
    const { catalog } = await catalogOf(undefined, undefined, [canary]);
    const f = catalog.require("f");
    let ofFirst = 0;
    for (let call = 0; call < 2000; call++) {
      if ((await catalog.pinned(f, "canary")).function?.number === 1) ofFirst++;
    }

    assert.ok(ofFirst > 350 && ofFirst < 650, `${ofFirst} of 2000, 500 expected`);
  });

  test("is not needed for the alias `live`", async () => {
    const targets = [{ version: 3, weight: 100 }];
    const { catalog } = await catalogOf(undefined, undefined, [{ name: "live", targets }]);

    assert.equal((await catalog.pinned(catalog.require("f"), undefined)).function?.number, 3);
  });

  test("is not needed for what is at hand: the active version, where no alias says otherwise", async () => {
    const aliases = [{ name: "old", targets: [{ version: 1, weight: 100 }] }];
    const { catalog } = await catalogOf(undefined, undefined, aliases);
    const before = catalog.cachedLive("id-f");
    await catalog.pinned(catalog.require("f"), undefined);
    const after = catalog.cachedLive("id-f")?.function?.number;
    aliases.push({ name: "live", targets: [{ version: 3, weight: 100 }] });
    catalog.realias("id-f");
    const unknown = catalog.cachedLive("id-f");
    const live = await catalog.pinned(catalog.require("f"), undefined);

    assert.deepEqual([before, after, unknown, live.function?.number], [undefined, 2, undefined, 3]);
    assert.equal(catalog.cachedLive("id-f"), undefined, "the alias is not passed over");
    catalog.put(functionNamed("f", 2, { disabled: true }));
    assert.equal(catalog.cachedLive("id-f"), undefined, "a function that is disabled is not at hand");
  });
});
