import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Execution } from "../core/execution.ts";
import { allPages, openFor, T0_MS } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";
import { summaryOf } from "./executions.contract.ts";
import { anExecution } from "./executions.fixture.ts";
import type { ExecutionQuery, Store } from "./store.ts";

export function searchContract(open: OpenStore): void {
  const line = (text: string) => ({ stream: "stdout", level: "info", atMs: T0_MS, text }) as const;
  const idsOf = async (store: Store, filter: Omit<ExecutionQuery, "limit">): Promise<string[]> =>
    (await store.listExecutions({ ...filter, limit: 100 })).items.map(({ id }) => id);

  test("every combination of filters, page by page, gives what passing over all of them would", async (t) => {
    const store = await openFor(t, open);
    const names = ["a", "b", "c", undefined];
    const executions = Array.from({ length: 400 }, (_, n): Execution => {
      const pick = <T>(values: readonly T[], step: number): T => values[Math.floor(n / step) % values.length] as T;
      const functionName = pick(names, 1);
      return anExecution(n, {
        functionName: functionName === "a" && n > 200 ? "renamed" : functionName,
        functionId: functionName === undefined ? undefined : `id of ${functionName}`,
        version: functionName === undefined ? undefined : pick([1, 2], 5),
        status: pick(["success", "success", "success", "error", "timeout"], 2),
        trigger: pick(["http", "script", "cron"], 3),
        queuedAtMs: T0_MS + n * 10 - (n % 7) * 40, // nearly in order
        logs: n % 3 === 0 ? [line(`Hello number ${n}`), line("bye")] : [],
        error: n % 10 === 0 ? "Boom: hello-world failed" : undefined,
      });
    });
    for (let start = 0; start < executions.length; start += 60) {
      await store.appendExecutions(executions.slice(start, start + 60));
    }

    const some = <T>(...values: T[]): fc.Arbitrary<T | undefined> =>
      fc.option(fc.constantFrom(...values), { nil: undefined });
    const anyQuery = fc.record({
      functionId: some("id of a", "id of b", "nobody"),
      functionName: some("a", "renamed", "c", "nobody"),
      version: some(1, 2, 3),
      status: some("success" as const, "timeout" as const, "oom" as const),
      trigger: some("http" as const, "cron" as const, "mcp" as const),
      fromMs: some(T0_MS, T0_MS + 1_000, T0_MS + 3_333),
      toMs: some(T0_MS, T0_MS + 2_000, T0_MS + 3_500),
      text: some("hello", "HEL", "hello number 1", "world", "nothing", "hello boom", "!"),
      limit: fc.constantFrom(1, 7, 1_000),
    });
    await fc.assert(
      fc.asyncProperty(anyQuery, async (query) => {
        const { items, lengths } = await allPages((cursor) => store.listExecutions({ ...query, cursor }));
        assert.deepEqual(
          items.map(({ id }) => id),
          executions
            .filter((execution) => matches(execution, query))
            .map(({ id }) => id)
            .toReversed(),
        );
        assert.ok(lengths.slice(0, -1).every((length) => length === query.limit));
      }),
      { numRuns: 300 },
    );
  });

  test("pages do not shift when more is appended", async (t) => {
    const store = await openFor(t, open);
    const executions = Array.from({ length: 6 }, (_, n) => anExecution(n, {}));
    await store.appendExecutions(executions.slice(0, 5));

    const first = await store.listExecutions({ limit: 3 });
    await store.appendExecutions(executions.slice(5));
    const second = await store.listExecutions({ limit: 3, cursor: first.cursor });

    assert.deepEqual([...first.items, ...second.items], executions.slice(0, 5).toReversed().map(summaryOf));
    assert.equal(second.cursor, undefined);
  });

  test("a cursor that is not ours gives an empty page, and so does a limit of none", async (t) => {
    const store = await openFor(t, open);
    await store.appendExecutions([anExecution(1, { error: "boom" })]);
    const empty = { items: [], cursor: undefined };

    for (const cursor of ["", "nonsense", "-1", "0", "1e9", " 5", "9".repeat(40)]) {
      assert.deepEqual(await store.listExecutions({ limit: 5, cursor }), empty, cursor);
      assert.deepEqual(await store.listExecutions({ limit: 5, cursor, text: "boom" }), empty, cursor);
    }
    for (const limit of [0, -1]) assert.deepEqual(await store.listExecutions({ limit }), empty);
  });

  test("words are found in any case and script, by how they begin, in lines and errors together", async (t) => {
    const store = await openFor(t, open);
    const [latin, mixed, astral, accents] = [
      anExecution(1, { logs: [line("GET /api/users?id=42 -> 200"), line("Done.")] }),
      anExecution(2, { logs: [line("Übergröße Ελλάδα 東京タワー")], error: "TypeError: x.y is not a function" }),
      anExecution(3, { logs: [line("𝒳𝒴 😀 x_y")] }),
      anExecution(4, { logs: [line("cafe\u0301")] }),
    ] as const;
    await store.appendExecutions([latin, mixed, astral, accents, anExecution(5, {})]);

    assert.deepEqual(await idsOf(store, { text: "api user" }), [latin.id]);
    assert.deepEqual(await idsOf(store, { text: "done GET 42" }), [latin.id]);
    assert.deepEqual(await idsOf(store, { text: "/api/users?id=42" }), [latin.id]);
    assert.deepEqual(await idsOf(store, { text: "done boom" }), []);
    assert.deepEqual(await idsOf(store, { text: "ÜBERGRÖ typeerror" }), [mixed.id]);
    assert.deepEqual(await idsOf(store, { text: "ελλ" }), [mixed.id]);
    assert.deepEqual(await idsOf(store, { text: "東京" }), [mixed.id]);
    assert.deepEqual(await idsOf(store, { text: "sers" }), []); // the middle of a word is no beginning
    assert.deepEqual(await idsOf(store, { text: "𝒳" }), [astral.id]);
    assert.deepEqual(await idsOf(store, { text: "caf\u00e9" }), [accents.id]);
  });

  test("no text is an error or more than words", async (t) => {
    const store = await openFor(t, open);
    const plain = anExecution(1, { logs: [line("one two")] });
    await store.appendExecutions([plain]);

    for (const text of [
      '"',
      '"one',
      "one*",
      "(one)",
      "one AND two",
      "^one",
      "-one",
      "'one'",
      "one\0two",
      "words:one",
    ]) {
      const ids = await idsOf(store, { text });
      const isThere = !/AND|words/.test(text); // which are words like others
      assert.deepEqual(ids, isThere ? [plain.id] : [], text);
    }
    assert.deepEqual(await idsOf(store, { text: "one OR zzz" }), []);
    assert.deepEqual(await idsOf(store, { text: "NOT zzz" }), []);
    assert.deepEqual(await idsOf(store, { text: "one ".repeat(100_000) }), [plain.id]);
    const many = Array.from({ length: 5_000 }, (_, n) => `w${n}`).join(" ");
    assert.deepEqual(await idsOf(store, { text: many }), []);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
        assert.ok(Array.isArray(await idsOf(store, { text })));
      }),
    );
  });

  test("whatever was printed is found by each of its words", async (t) => {
    const store = await openFor(t, open);
    let n = 0;

    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", minLength: 1 }), async (text) => {
        const execution = anExecution(n++, { logs: [line(text)] });
        await store.appendExecutions([execution]);
        assert.ok((await store.listExecutions({ text, limit: 1_000 })).items.some(({ id }) => id === execution.id));
      }),
      { numRuns: 100, examples: [["ǅungla ŉ ß İstanbul"], ["x".repeat(5_000)], ["𝒳".repeat(100)]] },
    );
  });

  test("a word is found among many that are common", async (t) => {
    const store = await openFor(t, open);
    const executions = Array.from({ length: 3_000 }, (_, n) =>
      anExecution(n, { logs: [line(`request handled ${n === 77 ? "needle" : "fine"}`)] }),
    );
    await store.appendExecutions(executions);

    assert.deepEqual(await idsOf(store, { text: "request needle" }), [executions[77]?.id]);
    const { items, lengths } = await allPages((cursor) =>
      store.listExecutions({ text: "request fine", limit: 700, cursor }),
    );
    assert.equal(items.length, 2_999);
    assert.deepEqual(lengths, [700, 700, 700, 700, 199]);
  });
}

function matches(execution: Execution, query: Omit<ExecutionQuery, "limit">): boolean {
  const text = [execution.error ?? "", ...execution.logs.map((line) => line.text)].join("\n").toLowerCase();
  const own = text.split(/[^a-z\d]+/);
  const words = (query.text ?? "").toLowerCase().match(/[a-z\d]+/g) ?? [];
  return (
    (query.functionId === undefined || execution.functionId === query.functionId) &&
    (query.functionName === undefined || execution.functionName === query.functionName) &&
    (query.version === undefined || execution.version === query.version) &&
    (query.status === undefined || execution.status === query.status) &&
    (query.trigger === undefined || execution.trigger === query.trigger) &&
    (query.fromMs === undefined || execution.queuedAtMs >= query.fromMs) &&
    (query.toMs === undefined || execution.queuedAtMs < query.toMs) &&
    words.every((word) => own.some((have) => have.startsWith(word)))
  );
}
