// Runs as server-sent events: every line when it is printed, none lost, exactly one end.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parseEvents, type RunNow, type ScriptEvent, type ServerUnderTest, startServer } from "../server-under-test.ts";

suite("a streamed run", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer({ TIMEOUT_SCRIPT: "5" });
  });
  after(() => server.dispose());
  afterEach(async () => {
    await server.settled();
  });

  /** The events with the milliseconds after the request at which each came in. */
  async function timedEvents(request: RunNow): Promise<{ readonly event: ScriptEvent; readonly atMs: number }[]> {
    const startedAtMs = performance.now();
    const response = await server.post("/run-now", { ...request, stream: true });
    const timed: { event: ScriptEvent; atMs: number }[] = [];
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const atMs = performance.now() - startedAtMs;
      for (const event of parseEvents(decoder.decode(chunk as Uint8Array, { stream: true })))
        timed.push({ event, atMs });
    }
    return timed;
  }

  test("sends each line when it is printed and the value last", async () => {
    const code = "import time\nfor i in range(4):\n    print(i)\n    time.sleep(0.4)\nreturn 'done'";
    const timed = await timedEvents({ language: "python", code });

    assert.deepEqual(
      timed.map(({ event }) => event),
      [
        ...[0, 1, 2, 3].map((index) => ({ event: "log", data: String(index), type: "text" })),
        { event: "result", data: "done", type: "string" },
      ],
    );
    const [first, , , , last] = timed.map(({ atMs }) => atMs);
    assert.ok((first ?? 0) + 400 < (last ?? 0), "the first line came long before the end: it was not held back");
  });

  test("holds one line back where nothing is returned, and makes it the result", async () => {
    const timed = await timedEvents({
      language: "javascript",
      code: "console.log('a'); console.log('{\"b\":1}'); await new Promise((r) => setTimeout(r, 300)); console.log('c')",
    });

    assert.deepEqual(
      timed.map(({ event }) => event),
      [
        { event: "log", data: "a", type: "text" },
        { event: "log", data: { b: 1 }, type: "json" },
        { event: "result", data: "c", type: "text" },
      ],
    );
    assert.ok((timed[0]?.atMs ?? 0) + 200 < (timed[2]?.atMs ?? 0));
  });

  test("loses no line where code without a sure return does return", async () => {
    const events = await server.stream({
      language: "python",
      code: "print('a')\nprint('b')\nif event == {}:\n    return 1\nprint('c')",
    });

    assert.deepEqual(events, [
      { event: "log", data: "a", type: "text" },
      { event: "log", data: "b", type: "text" },
      { event: "result", data: 1, type: "number" },
    ]);
  });

  test("carries stderr as lines, in the order of printing", async () => {
    const events = await server.stream({
      language: "javascript",
      code: "console.log('1'); console.error('2'); console.warn('3'); console.log('4'); return null",
    });

    assert.deepEqual(
      events.map(({ data }) => data),
      ["1", "2", "3", "4", null],
    );
  });

  test("carries 100,000 lines, none lost", async (t) => {
    const patient = await startServer({ TIMEOUT_SCRIPT: "60" }); // other tests want the cores, too
    t.after(() => patient.dispose());
    for (const request of [
      { language: "python", code: "for i in range(100_000): print('line', i)\nreturn 'end'" },
      { language: "javascript", code: "for (let i = 0; i < 100000; i++) console.log('line', i);\nreturn 'end'" },
    ]) {
      const events = await patient.stream(request);
      assert.equal(events.length, 100_001, request.language);
      assert.equal(events[99_999]?.data, "line 99999");
      assert.deepEqual(events[100_000], { event: "result", data: "end", type: "string" });
    }
  });

  test("carries a line of a megabyte, empty lines and a last line without an end", async () => {
    const events = await server.stream({
      language: "python",
      code: "print('x' * 1_000_000)\nprint()\nprint('tail', end='')\nreturn 1",
    });

    assert.deepEqual(
      events.map(({ data }) => (typeof data === "string" ? data.length : data)),
      [1_000_000, 0, 4, 1],
    );
  });

  test("ends with one error for code that throws, times out or ends its process", async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["python", "print('before')\nraise ValueError('boom')", /^stopped to run script: .*boom/],
      ["javascript", "console.log('before'); for (;;);", /^stopped to run script: execution timeout \(max 5s\)/],
      ["javascript", "console.log('before'); process.exit(9)", /^stopped to run script: exit status 9/],
    ];
    for (const [language, code, message] of cases) {
      const events = await server.stream({ language, code });
      assert.deepEqual(events[0], { event: "log", data: "before", type: "text" });
      assert.equal(events.length, 2);
      assert.equal(events[1]?.event, "error");
      assert.equal(events[1]?.type, "text");
      assert.match(String(events[1]?.data), message);
    }
  });

  test("has the headers that keep proxies from holding it back, and refusals that are plain", async () => {
    const response = await server.post("/run-now", { language: "python", code: "return 1", stream: true });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(response.headers.get("cache-control"), "no-cache");
    assert.equal(response.headers.get("x-accel-buffering"), "no");
    await response.text();
    const refused = await server.post("/run/none", { stream: true });
    assert.equal(refused.status, 404);
    assert.equal(await refused.text(), "bad request: script not found");
  });

  for (const stream of [true, false]) {
    test(`is ended when its client goes away${stream ? "" : ", streamed or not"}`, async () => {
      const controller = new AbortController();
      const code = "console.log('on'); await new Promise((resolve) => setTimeout(resolve, 4500)); return 1";
      const request = server.post("/run-now", { language: "javascript", code, stream }, { signal: controller.signal });
      request.catch(() => {});
      while (!(await server.system()).pool.workers.some(({ state }) => state === "busy")) await delay(5);

      controller.abort();
      const abortedAtMs = performance.now();
      while ((await server.system()).pool.workers.some(({ state }) => state === "busy" || state === "ending"))
        await delay(5);

      assert.ok(performance.now() - abortedAtMs < 3_000);
    });
  }
});
