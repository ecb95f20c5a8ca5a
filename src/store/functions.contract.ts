import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { DEFAULT_SETTINGS } from "../core/function.ts";
import type { FunctionSettings } from "../core/function.ts";
import { aFunction, allPages, openFor, T0_MS } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";
import { anExecution } from "./executions.fixture.ts";

const ALL_SET: FunctionSettings = {
  description: "Makes pictures smaller",
  disabled: true,
  timeoutMs: 1_500,
  concurrency: 8,
  isolation: "fresh",
  egress: ["api.example.com", "*.example.org:8443"],
  access: "public",
  corsOrigins: ["https://example.com"],
  callsPerMinute: 60,
  saveResponses: true,
  retentionDays: 3,
  retry: { attempts: 5, backoffMs: 10, maxBackoffMs: 20 },
  jobConcurrency: 2,
  schedule: {
    ...{ cron: "@every 90s", timeZone: "Europe/Berlin", overlap: "forbid", missed: "all" },
    ...{ paused: true, input: '{"a":1}' },
  },
  retentionCount: 50,
};

export function functionsContract(open: OpenStore): void {
  test("a created function is found by its id and by its name", async (t) => {
    const store = await openFor(t, open);

    const created = await store.createFunction({ name: "resize", settings: ALL_SET, nowMs: T0_MS });

    assert.ok(created !== undefined);
    assert.match(created.id, /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/);
    assert.deepEqual(created, {
      id: created.id,
      name: "resize",
      settings: ALL_SET,
      activeVersion: undefined,
      language: undefined,
      createdAtMs: T0_MS,
      updatedAtMs: T0_MS,
    });
    assert.deepEqual(await store.findFunction({ id: created.id }), created);
    assert.deepEqual(await store.findFunction({ name: "resize" }), created);
  });

  test("a name is given to one function only, among concurrent callers", async (t) => {
    const store = await openFor(t, open);
    const wanted = { name: "resize", settings: DEFAULT_SETTINGS, nowMs: T0_MS };

    const made = await Promise.all([1, 2, 3].map(() => store.createFunction(wanted)));

    assert.equal(made.filter((created) => created !== undefined).length, 1);
  });

  test("names that differ in case or in how Unicode composes them are different functions", async (t) => {
    const store = await openFor(t, open);
    const names = ["caf\u00e9", "cafe\u0301", "Caf\u00e9"];

    for (const name of names) await aFunction(store, name);

    for (const name of names) assert.equal((await store.findFunction({ name }))?.name, name);
    assert.equal(await store.findFunction({ name: "cafe" }), undefined);
    assert.equal(await store.findFunction({ id: "cafe" }), undefined);
    assert.equal(await store.findFunction({ id: "" }), undefined);
  });

  test("the function with the longest of some names is found first", async (t) => {
    const store = await openFor(t, open);
    for (const name of ["math", "math/add", "mathematics"]) await aFunction(store, name);

    const found = await store.findFirstFunction(["math", "math/add", "math/add/1"]);

    assert.equal(found?.name, "math/add");
    assert.equal(await store.findFirstFunction(["mat", ""]), undefined);
    assert.equal(await store.findFirstFunction([]), undefined);
  });

  test("functions are listed by name, by creation and by change, in pages", async (t) => {
    const store = await openFor(t, open);
    for (const [index, name] of ["b", "a", "c", "B", "é"].entries()) {
      await store.createFunction({ name, settings: DEFAULT_SETTINGS, nowMs: T0_MS + index });
    }
    const b = await store.findFunction({ name: "b" });
    await store.updateFunction(b?.id ?? "", { settings: ALL_SET, nowMs: T0_MS + 1_000 });

    const sorted = async (sort: "name" | "created" | "updated"): Promise<string> => {
      const { items, lengths } = await allPages((cursor) => store.listFunctions({ sort, limit: 2, cursor }));
      assert.deepEqual(lengths, [2, 2, 1]);
      return items.map(({ name }) => name).join(" ");
    };
    assert.equal(await sorted("name"), "B a b c é");
    assert.equal(await sorted("created"), "é B c a b");
    assert.equal(await sorted("updated"), "b é B c a");
  });

  test("functions of the same moment are each listed once", async (t) => {
    const store = await openFor(t, open);
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await aFunction(store, name);

    const { items } = await allPages((cursor) => store.listFunctions({ sort: "created", limit: 2, cursor }));

    assert.deepEqual(items.map(({ name }) => name).toSorted(), names);
  });

  test("functions are found by a part of their name or description in any case, and by language", async (t) => {
    const store = await openFor(t, open);
    await aFunction(store, "images/Resize", { description: "Straße 50%" });
    await aFunction(store, "other", { description: "ÄRGER with images_" });
    await store.addVersion({ functionName: "third", language: "python", source: "1", nowMs: T0_MS });

    const found = async (filter: { search?: string; language?: string }): Promise<string[]> => {
      const page = await store.listFunctions({ ...filter, sort: "name", limit: 10 });
      return page.items.map(({ name }) => name);
    };
    assert.deepEqual(await found({ search: "IMAGES" }), ["images/Resize", "other"]);
    assert.deepEqual(await found({ search: "ärger" }), ["other"]);
    assert.deepEqual(await found({ search: "%" }), ["images/Resize"]);
    assert.deepEqual(await found({ search: "images_" }), ["other"]);
    assert.deepEqual(await found({ search: "nothing" }), []);
    assert.deepEqual(await found({ search: "" }), ["images/Resize", "other", "third"]);
    assert.deepEqual(await found({ language: "python" }), ["third"]);
    assert.deepEqual(await found({ language: "python", search: "images" }), []);
  });

  test("a cursor that is not ours, or of another order, gives an empty page", async (t) => {
    const store = await openFor(t, open);
    for (const name of ["a", "b"]) await aFunction(store, name);
    const { cursor } = await store.listFunctions({ sort: "created", limit: 1 });
    const empty = { items: [], cursor: undefined };

    for (const wrong of ["", "nonsense", "W10", "bnVsbA", "-1"]) {
      assert.deepEqual(await store.listFunctions({ sort: "name", limit: 1, cursor: wrong }), empty);
    }
    assert.deepEqual(await store.listFunctions({ sort: "name", limit: 1, cursor }), empty);
    assert.deepEqual(await store.listFunctions({ sort: "name", limit: 0 }), empty);
    assert.deepEqual(await store.listFunctions({ sort: "name", limit: -1 }), empty);
  });

  test("a function's name and settings change", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "resize");
    await aFunction(store, "other");

    const renamed = await store.updateFunction(id, { name: "shrink", nowMs: T0_MS + 1 });
    const changed = await store.updateFunction(id, { settings: ALL_SET, nowMs: T0_MS + 2 });

    assert.ok(typeof renamed === "object" && typeof changed === "object");
    assert.deepEqual([renamed.name, renamed.settings, renamed.updatedAtMs], ["shrink", DEFAULT_SETTINGS, T0_MS + 1]);
    assert.deepEqual([changed.name, changed.settings, changed.updatedAtMs], ["shrink", ALL_SET, T0_MS + 2]);
    assert.deepEqual(await store.findFunction({ id }), changed);
    assert.equal(await store.findFunction({ name: "resize" }), undefined);
    assert.equal((await store.listFunctions({ search: "smaller", sort: "name", limit: 9 })).items.length, 1);
    assert.equal(await store.updateFunction(id, { name: "other", nowMs: T0_MS + 3 }), "taken");
    assert.equal(await store.updateFunction("nobody", { name: "new", nowMs: T0_MS + 3 }), "missing");
    assert.deepEqual(await store.findFunction({ id }), changed);
  });

  test("a function that keeps its name may be given that name", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "resize");

    assert.equal(typeof (await store.updateFunction(id, { name: "resize", nowMs: T0_MS })), "object");
  });

  test("a deleted function takes all that belongs to it along, at once", async (t) => {
    const store = await openFor(t, open);
    const { version } = await store.addVersion({ functionName: "gone", language: "lua", source: "1", nowMs: T0_MS });
    const { version: kept } = await store.addVersion({
      functionName: "kept",
      language: "lua",
      source: "1",
      nowMs: T0_MS,
    });
    const ids = [version.functionId, kept.functionId];
    for (const [index, functionId] of ids.entries()) {
      await store.putAlias(functionId, { name: "live", targets: [{ version: version.number, weight: 100 }] }, T0_MS);
      await store.putVariable(functionId, { name: "A", secret: true, sealed: "x" }, T0_MS);
      await store.kvChange({ functionId }, { kind: "set", key: "k", value: "1" }, 100, T0_MS);
      const functionName = index === 0 ? "gone" : "kept";
      await store.appendExecutions([anExecution(index, { functionId, functionName, error: "needle" })]);
    }
    const [functionId = ""] = ids;

    assert.equal(await store.deleteFunction(functionId), true);

    assert.equal(await store.findFunction({ id: functionId }), undefined);
    assert.equal(await store.findFunction({ name: "gone" }), undefined);
    assert.equal(await store.findVersion(functionId, version.number), undefined);
    assert.deepEqual((await store.listVersions(functionId, { limit: 9 })).items, []);
    assert.deepEqual(await store.listAliases(functionId), []);
    assert.deepEqual(await store.listVariables(functionId), []);
    assert.equal(await store.kvGet({ functionId }, "k", T0_MS), undefined);
    assert.deepEqual((await store.kvList({ functionId }, { limit: 9, nowMs: T0_MS })).items, []);
    assert.deepEqual(await store.metrics(functionId, { fromMs: 0, toMs: 2 * T0_MS, stepMs: 60_000 }), []);
    assert.equal(await store.findExecution(anExecution(0, {}).id), undefined);
    for (const filter of [
      {},
      { functionId },
      { functionName: "gone" },
      { status: "success" },
      { text: "needle" },
    ] as const) {
      const { items } = await store.listExecutions({ ...filter, limit: 9 });
      assert.ok(items.every((execution) => execution.functionId === kept.functionId));
    }
    assert.equal(await store.deleteFunction(functionId), false);

    const other = kept.functionId;
    assert.deepEqual(await store.findVersion(other, undefined), kept);
    assert.equal((await store.listAliases(other)).length, 1);
    assert.equal((await store.listVariables(other)).length, 1);
    assert.equal(await store.kvGet({ functionId: other }, "k", T0_MS), "1");
    assert.equal((await store.metrics(other, { fromMs: 0, toMs: 2 * T0_MS, stepMs: 60_000 })).length, 1);
    assert.equal((await store.listExecutions({ text: "needle", limit: 9 })).items.length, 1);
  });

  test("what comes late of a deleted function is not kept, and another one may have its name", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "resize");
    await store.deleteFunction(id);
    const again = await aFunction(store, "resize");
    const late = anExecution(1, { functionId: id });
    const own = anExecution(2, { functionId: again.id });

    await store.appendExecutions([late, own]);
    const changed = await store.kvChange({ functionId: id }, { kind: "incr", key: "k", by: 1 }, 100, T0_MS);

    assert.notEqual(again.id, id);
    assert.equal(await store.findExecution(late.id), undefined);
    assert.deepEqual((await store.listExecutions({ functionName: "resize", limit: 9 })).items.length, 1);
    assert.deepEqual(changed, { ok: true, applied: false, value: undefined });
    assert.equal(await store.kvGet({ functionId: id }, "k", T0_MS), undefined);
  });

  test("names of any Unicode come back as they were", async (t) => {
    const store = await openFor(t, open);

    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 20 }), async (name) => {
        const created = await store.createFunction({ name, settings: { ...ALL_SET, description: name }, nowMs: T0_MS });
        assert.equal(created?.name, name);
        assert.deepEqual(await store.findFunction({ name }), created);
        assert.equal(created.settings.description, name);
        assert.equal(await store.deleteFunction(created.id), true);
      }),
      { numRuns: 25, examples: [["a\0b"], [""]] },
    );
  });
}
