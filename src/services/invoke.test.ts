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
import type { History } from "./history.ts";
import { createInvoke } from "./invoke.ts";

const PROGRAM = { language: "javascript", base: "node", code: "", options: {}, alwaysReturns: false };
const VERSION: Version = { id: "f@1", functionName: "f", number: 1, program: PROGRAM, egress: "none" };

/** Invokes over a pool whose runs do what `play` does, and end with `outcome`. */
function stage(outcome: Outcome | PlatformError, play: (request: RunRequest) => void = () => {}) {
  const records: Execution[] = [];
  const lines: LogLine[] = [];
  let cancelled = 0;
  const pool = {
    run(request: RunRequest) {
      play(request);
      const report =
        outcome instanceof PlatformError
          ? Promise.reject(outcome)
          : Promise.resolve({ outcome, coldStart: true, waitMs: 2, runMs: 3 });
      return { report, cancel: () => cancelled++ };
    },
  } as unknown as Pool;
  const history = { record: (execution: Execution) => records.push(execution) } as unknown as History;
  const clock = new ManualClock();
  const invoke = createInvoke({ pool, history, clock, timeoutMs: 500 });
  const handle = invoke({ version: VERSION, input: "[1]", trigger: "script", onLine: (line) => lines.push(line) });
  return { handle, records, lines, clock, cancelled: () => cancelled };
}

test("a run gets its input and its time, and its end is answered and recorded under one id", async () => {
  const requests: RunRequest[] = [];
  const { handle, records, clock } = stage({ kind: "ok", json: "1" }, (request) => requests.push(request));
  const { executionId, ...result } = await handle.result;

  assert.deepEqual(
    requests.map(({ input, timeoutMs }) => [input, timeoutMs]),
    [["[1]", 500]],
  );
  const measured = { coldStart: true, waitMs: 2, runMs: 3 };
  assert.deepEqual(result, { outcome: { kind: "ok", json: "1" }, printed: "", ...measured });
  assert.deepEqual(records, [
    {
      id: executionId,
      trigger: "script",
      functionName: "f",
      version: 1,
      language: "javascript",
      status: "success",
      error: undefined,
      queuedAtMs: clock.now(),
      ...measured,
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
  const { printed } = await handle.result;

  assert.deepEqual(linesBeforeEnd, ["a", "e"]);
  assert.equal(printed, "a\nb");
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

test("cancelling goes to the run", async () => {
  const { handle, cancelled } = stage({ kind: "cancelled" });
  handle.cancel();
  await handle.result;

  assert.equal(cancelled(), 1);
});
