import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { aFunction, allPages, openFor, T0_MS } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";
import type { KvChange, KvResult, KvScope, Store } from "./store.ts";

const ROOM = 1_000_000;

export function kvContract(open: OpenStore): void {
  /** A store, and a function's scope in it. */
  async function opened(t: Parameters<typeof openFor>[0]): Promise<{
    store: Store;
    scope: KvScope;
    change: (change: KvChange, nowMs?: number, limitBytes?: number) => Promise<KvResult>;
    list: (prefix?: string, nowMs?: number) => Promise<string[]>;
  }> {
    const store = await openFor(t, open);
    const scope = { functionId: (await aFunction(store, "f")).id };
    return {
      store,
      scope,
      change: (change, nowMs = T0_MS, limitBytes = ROOM) => store.kvChange(scope, change, limitBytes, nowMs),
      async list(prefix, nowMs = T0_MS) {
        const { items } = await store.kvList(scope, { limit: 1_000, prefix, nowMs });
        return items.map(({ key }) => key);
      },
    };
  }

  test("a value is what was last set, in its scope only", async (t) => {
    const { store, scope, change } = await opened(t);
    const other = { functionId: (await aFunction(store, "g")).id };

    assert.deepEqual(await change({ kind: "set", key: "k", value: '"1"' }), { ok: true, applied: true, value: '"1"' });
    await change({ kind: "set", key: "k", value: "[2]" });
    await store.kvChange("global", { kind: "set", key: "k", value: "3" }, ROOM, T0_MS);

    assert.equal(await store.kvGet(scope, "k", T0_MS), "[2]");
    assert.equal(await store.kvGet("global", "k", T0_MS), "3");
    assert.equal(await store.kvGet(other, "k", T0_MS), undefined);
    assert.equal(await store.kvGet(scope, "K", T0_MS), undefined);
    assert.deepEqual((await store.kvList("global", { limit: 9, nowMs: T0_MS })).items, [
      { key: "k", value: "3", expiresAtMs: undefined },
    ]);
  });

  test("a key is deleted once", async (t) => {
    const { store, scope, change } = await opened(t);
    await change({ kind: "set", key: "k", value: "1" });

    assert.deepEqual(await change({ kind: "delete", key: "k" }), { ok: true, applied: true, value: undefined });
    assert.deepEqual(await change({ kind: "delete", key: "k" }), { ok: true, applied: false, value: undefined });
    assert.equal(await store.kvGet(scope, "k", T0_MS), undefined);
  });

  test("32 callers who count at once lose nothing", async (t) => {
    const { store, scope, change } = await opened(t);

    const results = await Promise.all(
      Array.from({ length: 32 }, async () => {
        const own: (string | undefined)[] = [];
        for (let n = 0; n < 20; n++) {
          const result = await change({ kind: "incr", key: "n", by: 1 });
          own.push(result.ok ? result.value : result.why);
        }
        return own;
      }),
    );

    assert.equal(await store.kvGet(scope, "n", T0_MS), "640");
    assert.equal(new Set(results.flat()).size, 640); // nobody saw the same number
  });

  test("adding starts from nothing, and from a number or a text that is one", async (t) => {
    const { change } = await opened(t);
    const sumOf = async (value: string | undefined, by: number): Promise<string | undefined> => {
      await change(value === undefined ? { kind: "delete", key: "n" } : { kind: "set", key: "n", value });
      const result = await change({ kind: "incr", key: "n", by });
      return result.ok ? result.value : result.why;
    };

    assert.equal(await sumOf(undefined, -2), "-2");
    assert.equal(await sumOf("1.5", 1), "2.5");
    assert.equal(await sumOf('"41"', 1), "42");
    assert.equal(await sumOf('" -1e2 "', 1), "-99");
    for (const value of ['""', '"one"', '"0x10"', "null", "true", "[1]", '{"a":1}']) {
      assert.equal(await sumOf(value, 1), "not-a-number", value);
    }
    assert.equal(await sumOf("1e308", 1e308), "not-a-number");
  });

  test("what is no number stays as it was", async (t) => {
    const { store, scope, change } = await opened(t);
    await change({ kind: "set", key: "k", value: "true" });

    assert.deepEqual(await change({ kind: "incr", key: "k", by: 1 }), { ok: false, why: "not-a-number" });
    assert.equal(await store.kvGet(scope, "k", T0_MS), "true");
  });

  test("a swap happens only where the old value is there", async (t) => {
    const { store, scope, change } = await opened(t);
    const swap = (old: string | undefined, next: string | undefined): Promise<KvResult> =>
      change({ kind: "cas", key: "k", old, next });

    assert.deepEqual(await swap("1", "2"), { ok: true, applied: false, value: undefined });
    assert.deepEqual(await swap(undefined, "1"), { ok: true, applied: true, value: "1" });
    assert.deepEqual(await swap(undefined, "2"), { ok: true, applied: false, value: "1" });
    assert.deepEqual(await swap("1", "2"), { ok: true, applied: true, value: "2" });
    assert.deepEqual(await swap("2", undefined), { ok: true, applied: true, value: undefined });
    assert.deepEqual(await swap(undefined, undefined), { ok: true, applied: true, value: undefined });
    assert.equal(await store.kvGet(scope, "k", T0_MS), undefined);
  });

  test("one of many who swap at once wins", async (t) => {
    const { change } = await opened(t);

    const results = await Promise.all(
      Array.from({ length: 10 }, (_, n) => change({ kind: "cas", key: "lock", old: undefined, next: String(n) })),
    );

    assert.equal(results.filter((result) => result.ok && result.applied).length, 1);
  });

  test("a key that has expired is not there for anyone", async (t) => {
    const { store, scope, change, list } = await opened(t);
    const expiresAtMs = T0_MS + 100;
    const set = (key: string): Promise<KvResult> => change({ kind: "set", key, value: "5", expiresAtMs });
    for (const key of ["a", "b", "c", "d"]) await set(key);

    assert.equal(await store.kvGet(scope, "a", expiresAtMs - 1), "5");
    assert.deepEqual(await list("", expiresAtMs - 1), ["a", "b", "c", "d"]);
    assert.equal(await store.kvGet(scope, "a", expiresAtMs), undefined);
    assert.deepEqual(await list("", expiresAtMs), []);
    assert.deepEqual(await change({ kind: "delete", key: "a" }, expiresAtMs), {
      ok: true,
      applied: false,
      value: undefined,
    });
    assert.deepEqual(await change({ kind: "incr", key: "b", by: 1 }, expiresAtMs), {
      ok: true,
      applied: true,
      value: "1",
    });
    assert.deepEqual(await change({ kind: "cas", key: "c", old: "5", next: "6" }, expiresAtMs), {
      ok: true,
      applied: false,
      value: undefined,
    });
    assert.deepEqual(await list("", expiresAtMs), ["b"]);
  });

  test("setting forgets when a key expires, and adding and swapping do not", async (t) => {
    const { store, scope, change } = await opened(t);
    const expiresAtMs = T0_MS + 100;
    for (const key of ["set", "incr", "cas"]) await change({ kind: "set", key, value: "1", expiresAtMs });
    await change({ kind: "set", key: "set", value: "2" });
    await change({ kind: "incr", key: "incr", by: 1 });
    await change({ kind: "cas", key: "cas", old: "1", next: "2" });

    const { items } = await store.kvList(scope, { limit: 9, nowMs: T0_MS });
    assert.deepEqual(items, [
      { key: "cas", value: "2", expiresAtMs },
      { key: "incr", value: "2", expiresAtMs },
      { key: "set", value: "2", expiresAtMs: undefined },
    ]);
  });

  test("a scope is full where keys and values together would be more than the limit, in bytes", async (t) => {
    const { store, scope, change } = await opened(t);
    const set = (key: string, value: string, limitBytes: number): Promise<KvResult> =>
      change({ kind: "set", key, value, expiresAtMs: undefined }, T0_MS, limitBytes);
    const full = { ok: false, why: "full" };

    assert.equal((await set("é", "12345678", 10)).ok, true); // 2 + 8
    assert.deepEqual(await set("b", "1", 11), full);
    assert.deepEqual(await set("é", "123456789", 10), full);
    assert.deepEqual(await change({ kind: "incr", key: "b", by: 1 }, T0_MS, 11), full);
    assert.deepEqual(await change({ kind: "cas", key: "b", old: undefined, next: "1" }, T0_MS, 11), full);
    assert.equal(await store.kvGet(scope, "b", T0_MS), undefined);
    assert.equal((await set("é", "87654321", 5)).ok, true); // no more than there was
    assert.equal((await set("é", "1", 10)).ok, true);
    assert.equal((await set("b", "123456", 10)).ok, true);
    assert.deepEqual(await set("c", "", 10), full);
    assert.equal((await change({ kind: "delete", key: "b" }, T0_MS, 10)).ok, true);
    assert.equal((await set("c", "123456", 10)).ok, true);
    const elsewhere = await store.kvChange("global", { kind: "set", key: "k", value: "123456789" }, 10, T0_MS);
    assert.equal(elsewhere.ok, true);
  });

  test("what has expired takes no room", async (t) => {
    const { change, list } = await opened(t);
    const set = (key: string, nowMs: number, expiresAtMs: number | undefined): Promise<KvResult> =>
      change({ kind: "set", key, value: "1", expiresAtMs }, nowMs, 100);
    for (let n = 10; n < 60; n++) {
      const result = await set(String(n), T0_MS, T0_MS + 1);
      assert.equal(result.ok, n < 43); // 33 keys of three bytes
    }

    assert.equal((await set("10", T0_MS + 1, undefined)).ok, true);
    for (let n = 60; n < 92; n++) assert.equal((await set(String(n), T0_MS + 1, undefined)).ok, true);
    assert.deepEqual(await set("99", T0_MS + 1, undefined), { ok: false, why: "full" });
    assert.equal((await list("", T0_MS + 1)).length, 33);
  });

  test("keys are listed in the order of their bytes, by prefix, in pages", async (t) => {
    const { store, scope, change, list } = await opened(t);
    const inOrder = ["", "a", "a\0", "a:1", "a:2", "b", "é", "\uffff", "😀", "\u{10ffff}"];
    for (const key of inOrder.toReversed()) await change({ kind: "set", key, value: "0" });

    const { items, lengths } = await allPages((cursor) => store.kvList(scope, { limit: 4, cursor, nowMs: T0_MS }));

    assert.deepEqual(
      items.map(({ key }) => key),
      inOrder,
    );
    assert.deepEqual(lengths, [4, 4, 2]);
    assert.deepEqual(await list("a"), ["a", "a\0", "a:1", "a:2"]);
    assert.deepEqual(await list("a:"), ["a:1", "a:2"]);
    assert.deepEqual(await list("\u{10ffff}"), ["\u{10ffff}"]);
    assert.deepEqual(await list("%"), []);
    const second = await allPages((cursor) => store.kvList(scope, { prefix: "a", limit: 3, cursor, nowMs: T0_MS }));
    assert.deepEqual(second.lengths, [3, 1]);
    const empty = { items: [], cursor: undefined };
    assert.deepEqual(await store.kvList(scope, { limit: 4, cursor: "nonsense", nowMs: T0_MS }), empty);
    assert.deepEqual(await store.kvList(scope, { limit: 0, nowMs: T0_MS }), empty);
    assert.deepEqual(await store.kvList({ functionId: "nobody" }, { limit: 4, nowMs: T0_MS }), empty);
  });

  test("a store does what a map would, whatever comes", async (t) => {
    const store = await openFor(t, open);
    const anyKey = fc.constantFrom("a", "ab", "b", "é", "😀", "a\0");
    const anyValue = fc.constantFrom("1", '"2"', '"x"', "{}");
    const anyTtlMs = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
    const anyStep = fc.oneof(
      fc.record({ kind: fc.constant("set" as const), key: anyKey, value: anyValue, ttlMs: anyTtlMs }),
      fc.record({ kind: fc.constant("delete" as const), key: anyKey }),
      fc.record({ kind: fc.constant("incr" as const), key: anyKey, by: fc.integer({ min: -9, max: 9 }) }),
      fc.record({
        kind: fc.constant("cas" as const),
        key: anyKey,
        old: fc.option(anyValue, { nil: undefined }),
        next: fc.option(anyValue, { nil: undefined }),
      }),
    );
    const LIMIT_BYTES = 12;
    let run = 0;

    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 20 }), async (steps) => {
        const { id } = await aFunction(store, `f${run++}`);
        const model = new Map<string, { value: string; expiresAtMs: number | undefined }>();
        for (const [nowMs, step] of steps.entries()) {
          for (const [key, { expiresAtMs }] of model)
            if (expiresAtMs !== undefined && expiresAtMs <= nowMs) model.delete(key);
          const before = model.get(step.key);
          const next = modelStep(step, before, nowMs);
          const others = [...model].filter(([key]) => key !== step.key);
          const sizeOf = (key: string, value: string): number => Buffer.byteLength(key) + Buffer.byteLength(value);
          const size = (next.entry === undefined ? others : [...others, [step.key, next.entry] as const]).reduce(
            (sum, [key, { value }]) => sum + sizeOf(key, value),
            0,
          );
          const grows = next.entry !== undefined && next.entry.value.length > (before?.value.length ?? -1);
          const isFull = next.applied && grows && size > LIMIT_BYTES;

          const change: KvChange =
            step.kind === "set"
              ? { ...step, expiresAtMs: step.ttlMs === undefined ? undefined : nowMs + step.ttlMs }
              : step;
          const result = await store.kvChange({ functionId: id }, change, LIMIT_BYTES, nowMs);

          if (next.why !== undefined) assert.deepEqual(result, { ok: false, why: next.why });
          else if (isFull) assert.deepEqual(result, { ok: false, why: "full" });
          else {
            if (next.entry === undefined) model.delete(step.key);
            else model.set(step.key, next.entry);
            assert.equal(result.ok && result.applied, next.applied);
          }
          const { items } = await store.kvList({ functionId: id }, { limit: 99, nowMs });
          const live = [...model].filter(([, { expiresAtMs }]) => expiresAtMs === undefined || expiresAtMs > nowMs);
          assert.deepEqual(
            items,
            live
              .map(([key, { value, expiresAtMs }]) => ({ key, value, expiresAtMs }))
              .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))),
          );
        }
      }),
      { numRuns: 20 }, // each step waits for the disk
    );
  });
}

type ModelEntry = { value: string; expiresAtMs: number | undefined };

function modelStep(
  step: {
    kind: string;
    value?: string;
    ttlMs?: number | undefined;
    by?: number;
    old?: string | undefined;
    next?: string | undefined;
  },
  before: ModelEntry | undefined,
  nowMs: number,
): { entry: ModelEntry | undefined; applied: boolean; why?: "not-a-number" } {
  const expiresAtMs = before?.expiresAtMs;
  if (step.kind === "set") {
    const ownMs = step.ttlMs === undefined ? undefined : nowMs + step.ttlMs;
    return { entry: { value: step.value ?? "", expiresAtMs: ownMs }, applied: true };
  }
  if (step.kind === "delete") return { entry: undefined, applied: before !== undefined };
  if (step.kind === "incr") {
    const number = before === undefined ? 0 : Number(/^"?(-?\d+)"?$/.exec(before.value)?.[1]);
    if (Number.isNaN(number)) return { entry: before, applied: false, why: "not-a-number" };
    return { entry: { value: String(number + (step.by ?? 0)), expiresAtMs }, applied: true };
  }
  if (before?.value !== step.old) return { entry: before, applied: false };
  return { entry: step.next === undefined ? undefined : { value: step.next, expiresAtMs }, applied: true };
}
