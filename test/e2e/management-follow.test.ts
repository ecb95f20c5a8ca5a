// Executions while they run: following what they print, and ending them.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ManagementUnderTest } from "../management-under-test.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const SLOW = `import time
def handler(event, context):
    for n in range(event.get('lines', 3)):
        print('line', n)
        time.sleep(0.2)
    return 'done'
`;
const WAIT_LIMIT_MS = 20_000;

interface Frame {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: { readonly text?: string; readonly status?: string; readonly n?: number };
}

suite("an execution that runs", () => {
  let server: ServerUnderTest;
  let api: ManagementUnderTest;
  before(async () => {
    server = await startServer();
    api = await ManagementUnderTest.open(server.url);
    await api.call("createFunction", 201, { body: { name: "slow", language: "python", code: SLOW } });
  });
  after(() => server.dispose());

  /** Starts a run and waits until it is listed. */
  async function start(lines: number): Promise<{ id: string; result: Promise<{ json: { status: string } }> }> {
    const known = new Set((await running()).map(({ id }) => id));
    const result = api.call("invoke", 200, { params: { id: "slow" }, body: { input: { lines } } });
    result.catch(() => {});
    const giveUpAtMs = Date.now() + WAIT_LIMIT_MS;
    while (Date.now() < giveUpAtMs) {
      const found = (await running()).find(({ id }) => !known.has(id));
      if (found !== undefined) return { id: found.id, result };
      await delay(20);
    }
    return assert.fail("it is not listed as running");
  }

  async function running(): Promise<{ id: string; status: string; runMs: number }[]> {
    return (await api.call("listExecutions", 200, { query: { status: "running" } })).json.items;
  }

  async function follow(
    id: string,
    init: { query?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ) {
    const { query = "", headers = {}, signal } = init;
    const response = await fetch(`${server.url}/api/executions/${id}/logs?follow=1${query}`, {
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    return response;
  }

  function framesOf(text: string): Frame[] {
    assert.ok(text.endsWith("\n\n"));
    return text
      .split("\n\n")
      .filter((frame) => frame !== "" && !frame.startsWith(":"))
      .map((frame) => {
        const fields = new Map(frame.split("\n").map((line) => line.split(/: (.*)/s, 2) as [string, string]));
        return {
          event: fields.get("event") ?? "message",
          id: fields.get("id"),
          data: JSON.parse(fields.get("data") ?? ""),
        };
      });
  }

  test("tells its lines as they are printed, each once, and then how it ended", async () => {
    const { id, result } = await start(8); // more than pass until it is followed, also on a busy machine
    const response = await follow(id);
    let text = "";
    let firstAtMs = 0;
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      if (firstAtMs === 0) firstAtMs = performance.now();
      text += decoder.decode(chunk as Uint8Array, { stream: true });
    }
    const tookMs = performance.now() - firstAtMs;

    const frames = framesOf(text);
    assert.deepEqual(
      frames.map(({ data }) => data.text ?? data.status),
      [...Array.from({ length: 8 }, (_, n) => `line ${n}`), "success"],
    );
    assert.deepEqual(
      frames.map((frame) => frame.id),
      [...Array.from({ length: 8 }, (_, n) => String(n + 1)), undefined],
    );
    assert.equal(frames.at(-1)?.event, "end");
    assert.ok(tookMs > 200, `live: ${tookMs} ms from the first to the last`);
    assert.equal((await result).json.status, "success");
  });

  test("goes on behind the line that the client had last, and filters", async () => {
    const { id, result } = await start(4);
    const [rest, filtered] = await Promise.all([
      follow(id, { headers: { "last-event-id": "2" } }).then((response) => response.text()),
      follow(id, { query: "&search=LINE+3" }).then((response) => response.text()),
    ]);
    await result;

    assert.deepEqual(
      framesOf(rest).map(({ data }) => data.text),
      ["line 2", "line 3", undefined],
    );
    assert.deepEqual(
      framesOf(filtered).map(({ data }) => data.n),
      [4, undefined],
    );
    const over = framesOf(await (await follow(id, { headers: { "last-event-id": "3" } })).text());
    assert.deepEqual(
      over.map(({ data }) => data.text ?? data.status),
      ["line 3", "success"],
    );
  });

  test("is listed and shown as running, with what it has printed so far", async () => {
    const { id, result } = await start(10);
    const { json: detail } = await api.call("readExecution", 200, { params: { id } });
    const { json: logs } = await api.call("readLogs", 200, { params: { id } });

    assert.deepEqual([detail.status, detail.event], ["running", { lines: 10 }]);
    assert.ok(detail.runMs > 0 && logs.items.length > 0 && logs.items.length < 10, `${logs.items.length} lines`);
    await result;
    const { json: over } = await api.call("readExecution", 200, { params: { id } });
    assert.deepEqual([over.status, over.logCount], ["success", 10]);
    assert.deepEqual(await running(), []);
  });

  test("can be ended, once", async () => {
    const { id, result } = await start(100);
    const followed = follow(id).then((response) => response.text());
    await delay(50);
    await api.call("cancelExecution", 204, { params: { id } });

    assert.equal((await result).json.status, "cancelled");
    assert.equal(framesOf(await followed).at(-1)?.data.status, "cancelled");
    const { json } = await api.call("cancelExecution", 409, { params: { id } });
    assert.equal(json.error.code, "IN_USE");
    await api.call("cancelExecution", 404, { params: { id: "01890000-0000-7000-8000-000000000000" } });
    await server.settled();
  });

  test("ends when its caller goes away, but not when a follower does", async () => {
    const gone = new AbortController();
    const left = new AbortController();
    const { id, result } = await start(4);
    const response = await follow(id, { signal: left.signal });
    left.abort();
    await assert.rejects(response.text());
    assert.equal((await result).json.status, "success");

    const call = fetch(`${server.url}/api/functions/slow/invocations`, {
      ...{ method: "POST", body: '{"input":{"lines":100}}', signal: gone.signal },
    });
    const giveUpAtMs = Date.now() + WAIT_LIMIT_MS;
    while ((await running()).length === 0 && Date.now() < giveUpAtMs) await delay(20);
    const [second] = await running();
    gone.abort();
    await assert.rejects(call);
    const status = async (): Promise<string> =>
      (await api.call("readExecution", 200, { params: { id: second?.id ?? "" } })).json.status;
    while ((await status()) === "running" && Date.now() < giveUpAtMs) await delay(20);
    assert.equal(await status(), "cancelled");
  });
});
