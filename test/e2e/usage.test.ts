// What a call has used of CPU and memory, as its execution and the function's metrics tell it.
import assert from "node:assert/strict";
import { readFileSync, realpathSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const MIB = 1024 * 1024;

interface Kept {
  readonly status: string;
  readonly runMs: number;
  readonly cpuMs?: number;
  readonly peakMemoryBytes?: number;
}

/** Each uses as much CPU time as it is asked to, however busy the machine is. */
const BUSY: Readonly<Record<string, string>> = {
  javascript: `export default async (request) => {
    const us = 1000 * Number(new URL(request.url).searchParams.get("ms") ?? 0);
    for (const start = process.cpuUsage(); process.cpuUsage(start).user < us; );
    return new Response("done");
  };`,
  python: `import time
def handler(event, context):
    until = time.process_time() + int((event.get("query") or {}).get("ms", 0)) / 1000
    while time.process_time() < until: pass
    return "done"`,
  lua: `local started = os.clock()
local ms = tonumber(event.query.ms or 0)
while (os.clock() - started) * 1000 < ms do end
return "done"`,
};

suite("what a call has used", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer();
  });
  after(() => server.dispose());

  async function call(name: string, query: string): Promise<Kept> {
    const response = await fetch(`${server.url}/fn/${name}${query}`);
    assert.match(await response.text(), /done|memory limit/);
    return await kept(response.headers.get("x-execution-id") ?? "");
  }

  async function kept(id: string): Promise<Kept> {
    return (await (await fetch(`${server.url}/api/executions/${id}`)).json()) as Kept;
  }

  for (const [language, code] of Object.entries(BUSY)) {
    test(`${language}: work is CPU time, waiting is not, and the function's metrics have the sum`, async () => {
      const name = `busy-${language}`;
      const made = await server.post("/api/functions", { name, language, code });
      const { id } = (await made.json()) as { id: string };
      await call(name, "");

      const idle = await call(name, "");
      const busy = await call(name, "?ms=200");

      assert.ok(busy.cpuMs !== undefined && idle.cpuMs !== undefined, JSON.stringify([idle, busy]));
      assert.ok(busy.cpuMs > 195 && busy.cpuMs > idle.cpuMs * 2, JSON.stringify([idle, busy]));
      assert.ok((busy.peakMemoryBytes ?? 0) > MIB, JSON.stringify(busy));
      const metrics = await (await fetch(`${server.url}/api/metrics/functions/${id}?step=3600`)).json();
      const [first] = (metrics as { items: { cpuMs: number; peakMemoryBytes: number }[] }).items;
      assert.ok((first?.cpuMs ?? 0) >= busy.cpuMs, JSON.stringify(first));
      assert.ok((first?.peakMemoryBytes ?? 0) >= (busy.peakMemoryBytes ?? 0), JSON.stringify(first));
    });
  }

  test("native: it is what the program has used, not the process that starts it", async () => {
    const body = readFileSync(realpathSync("/bin/sh"));
    const headers = { "Content-Type": "application/octet-stream" };
    const made = await fetch(`${server.url}/api/functions/shell?language=native`, { method: "PUT", body, headers });
    assert.equal(made.status, 201, await made.text());
    const run = async (script: string): Promise<Kept> => {
      const response = await fetch(`${server.url}/fn/shell`, { method: "POST", body: `${script}; echo done` });
      assert.equal(await response.text(), "done\n");
      return await kept(response.headers.get("x-execution-id") ?? "");
    };

    const idle = await run("true");
    const busy = await run("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");

    assert.ok((busy.cpuMs ?? 0) > 5 * (idle.cpuMs ?? Infinity), JSON.stringify([idle, busy]));
  });

  test("a run that was killed for memory tells how much that was", async () => {
    const code = "kept = []\nwhile True: kept.append(bytearray(1 << 20))";
    const name = "bomb";
    await server.post("/api/functions", { name, language: "python", code });

    const { status, peakMemoryBytes } = await call(name, "");

    assert.equal(status, "oom");
    assert.ok((peakMemoryBytes ?? 0) > 64 * MIB, String(peakMemoryBytes));
  });
});
