import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../core/errors.ts";
import type { Execution } from "../core/execution.ts";
import type { LogLine } from "../core/log-line.ts";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Version } from "../core/program.ts";
import type { Pool } from "../pool/pool.ts";
import type { RunRequest } from "../pool/run.ts";
import type { Capabilities } from "./capabilities.ts";
import type { History } from "./history.ts";
import { createInvoke } from "./invoke.ts";
import { LiveExecutions } from "./live.ts";

const PROGRAM = { language: "javascript", base: "node", code: "", options: {}, alwaysReturns: false };
const VERSION: Version = {
  ...{ id: "f@1", function: { id: "i", name: "f", number: 1 }, program: PROGRAM, egress: "none" },
  ...{ concurrency: 1, singleUse: false, env: { KEY: "top secret" }, secrets: ["top secret"] },
};

const USED = { cpuMs: 1.5, peakMemoryBytes: 1_000_000 };

/** Invokes over a pool whose runs do what `play` does, and end with `outcome`. */
function stage(outcome: Outcome | PlatformError | Promise<never>, play: (request: RunRequest) => void = () => {}) {
  const records: Execution[] = [];
  const lines: LogLine[] = [];
  let cancelled = 0;
  const pool = {
    run(request: RunRequest) {
      play(request);
      const report =
        outcome instanceof Promise
          ? outcome
          : outcome instanceof PlatformError
            ? Promise.reject(outcome)
            : Promise.resolve({ outcome, coldStart: true, waitMs: 2, runMs: 3, ...USED });
      return { report, cancel: () => cancelled++ };
    },
  } as unknown as Pool;
  const history = { record: (describe: () => Execution) => records.push(describe()) } as unknown as History;
  const clock = new ManualClock();
  const live = new LiveExecutions(clock, (running) => records.push(running));
  const capabilities = { call: (_caller: unknown, name: string) => Promise.resolve(name) } as unknown as Capabilities;
  const invoke = createInvoke({ pool, history, live, capabilities, clock, timeoutMs: 500 });
  const handle = invoke({
    version: VERSION,
    input: { kind: "value", json: "[1]" },
    trigger: "script",
    onLine: (line) => lines.push(line),
    event: () => '"with a top secret"',
  });
  return { handle, records, lines, clock, live, cancelled: () => cancelled };
}

test("a run gets its input and its time, and its end is answered and recorded under one id", async () => {
  const requests: RunRequest[] = [];
  const { handle, records, clock } = stage({ kind: "ok", json: "1" }, (request) => requests.push(request));
  const { executionId, ...result } = await handle.result;

  assert.deepEqual(
    requests.map(({ input, timeoutMs }) => [input, timeoutMs]),
    [[{ kind: "value", json: "[1]" }, 500]],
  );
  const measured = { coldStart: true, waitMs: 2, runMs: 3 };
  assert.deepEqual(result, { outcome: { kind: "ok", json: "1" }, printed: "", stderr: "", ...measured });
  assert.deepEqual(records, [
    {
      id: executionId,
      trigger: "script",
      functionId: "i",
      functionName: "f",
      version: 1,
      language: "javascript",
      status: "success",
      error: undefined,
      errorLine: undefined,
      errorTip: undefined,
      queuedAtMs: clock.now(),
      ...measured,
      ...USED,
      event: '"with a ***"',
      response: undefined,
      httpStatus: undefined,
      logs: [],
      logsTruncated: false,
    },
  ]);
});

test("printed lines are told as they come; only stdout can become a result", async () => {
  const { handle, lines, records } = stage({ kind: "ok", json: undefined }, ({ onLog }) => {
    onLog({ stream: "stdout", level: "info", text: "a\nb" });
    onLog({ stream: "stderr", level: "error", text: "e\n" });
  });
  const linesBeforeEnd = lines.map(({ text }) => text);
  const { printed, stderr } = await handle.result;

  assert.deepEqual(linesBeforeEnd, ["a", "e"]);
  assert.deepEqual([printed, stderr], ["a\nb", "e\n"]);
  assert.deepEqual(
    records[0]?.logs.map(({ text }) => text),
    ["a", "e", "b"],
  );
});

test("a record keeps the first part of what was printed and says that there was more; the caller gets all", async () => {
  const text = `${"x".repeat(100_000)}\n`.repeat(4);
  const { handle, lines, records } = stage({ kind: "ok", json: undefined }, ({ onLog }) => {
    onLog({ stream: "stdout", level: "info", text });
  });
  const { printed } = await handle.result;

  assert.equal(printed, text);
  assert.equal(lines.length, 4);
  assert.deepEqual([records[0]?.logs.length, records[0]?.logsTruncated], [2, true]);
});

test("what is secret is masked in the lines that are kept and followed, not in what the code returns", async () => {
  const { handle, lines, records } = stage({ kind: "ok", json: '"top secret"' }, ({ onLog }) => {
    onLog({ stream: "stdout", level: "info", text: "it is top secret!\n" });
  });
  const { outcome } = await handle.result;

  assert.deepEqual([lines[0]?.text, records[0]?.logs[0]?.text], ["it is ***!", "it is ***!"]);
  assert.deepEqual(outcome, { kind: "ok", json: '"top secret"' });
});

test("a run that takes long is stored as running; one that is over is not live any more", async () => {
  const { handle, clock, live, records } = stage({ kind: "ok", json: "1" });
  assert.equal(live.count, 1);
  clock.advance(250);
  clock.advance(250);

  assert.deepEqual(
    records.map(({ status, id }) => [status, id === handle.executionId]),
    [["running", true]],
  );
  await handle.result;
  assert.equal(live.count, 0);
});

test("a failed run is recorded with what its caller is told", async () => {
  const { handle, records } = stage({ kind: "exited", exitCode: 2 });
  await handle.result;

  assert.deepEqual([records[0]?.status, records[0]?.error], ["error", "exit status 2"]);
});

test("code that was never run is refused and leaves no record", async () => {
  const { handle, records } = stage(new PlatformError("POOL_SATURATED", "full"));

  await assert.rejects(handle.result, { code: "POOL_SATURATED" });
  assert.deepEqual(records, []);
});

test("code that is refused after it was stored as waiting is stored as refused", async () => {
  const waiting = Promise.withResolvers<never>();
  const { handle, records, clock } = stage(waiting.promise);
  clock.advance(250);
  clock.advance(250);
  waiting.reject(new PlatformError("POOL_SATURATED", "waited too long"));

  await assert.rejects(handle.result, { code: "POOL_SATURATED" });
  assert.deepEqual(
    records.map(({ status, error }) => [status, error]),
    [
      ["running", undefined],
      ["error", "waited too long"],
    ],
  );
});

test("cancelling goes to the run", async () => {
  const { handle, cancelled } = stage({ kind: "cancelled" });
  handle.cancel();
  await handle.result;

  assert.equal(cancelled(), 1);
});
