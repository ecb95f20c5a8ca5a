import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Pool } from "../pool/pool.ts";
import type { RunRequest } from "../pool/run.ts";
import { FakeRuntime } from "./fake-runtime.fixture.ts";
import { selfTest } from "./self-test.ts";

/** Judges a pool whose only run ends like this. */
function judge(outcome: Outcome): { verdict: Promise<number>; requests: RunRequest[]; forgotten: string[] } {
  const requests: RunRequest[] = [];
  const forgotten: string[] = [];
  const pool = {
    run(request: RunRequest) {
      requests.push(request);
      return { report: Promise.resolve({ outcome, coldStart: true, waitMs: 0, runMs: 1 }), cancel: () => {} };
    },
    forget: (versionId: string) => forgotten.push(versionId),
  } as unknown as Pool;
  const deps = { pool, clock: new ManualClock(), hostPaths: ["/etc/passwd"], serverPid: 77 };
  return { verdict: selfTest([new FakeRuntime()], deps), requests, forgotten };
}

const REFUSAL = "refusing to serve, a node sandbox does not hold. Code in it can: ";

test("a box without holes is trusted, and its worker is given up", async () => {
  const { verdict, requests, forgotten } = judge({ kind: "ok", json: "[]" });

  assert.equal(await verdict, 0);
  const json = JSON.stringify({ hostPaths: ["/etc/passwd"], serverPid: 77 });
  assert.deepEqual(requests[0]?.input, { kind: "value", json });
  assert.deepEqual(forgotten, [requests[0]?.version.id]);
});

test("a box with holes is refused by their names", async () => {
  const { verdict, forgotten } = judge({ kind: "ok", json: '["read /etc/passwd","signal the server"]' });

  await assert.rejects(verdict, {
    code: "SANDBOX_START_FAILED",
    message: `${REFUSAL}read /etc/passwd; signal the server`,
  });
  assert.equal(forgotten.length, 1);
});

const UNPROVEN: readonly (readonly [what: string, outcome: Outcome, words: RegExp])[] = [
  ["throws", { kind: "failed", name: "Error", message: "broken", stack: "" }, /did not finish: broken/],
  ["takes too long", { kind: "timed-out", limitMs: 10_000 }, /did not finish: execution timeout/],
  ["crashes", { kind: "crashed", detail: "signal SIGSYS" }, /did not finish: .*SIGSYS/],
  ["ends its process", { kind: "exited", exitCode: 1 }, /did not finish: exit status 1/],
  ["returns nothing", { kind: "ok", json: undefined }, /answer nothing/],
  ["returns null", { kind: "ok", json: "null" }, /answer null/],
  ["returns something that is no list", { kind: "ok", json: '{"length":0}' }, /answer \{"length":0\}/],
  ["returns a list of something else", { kind: "ok", json: "[1]" }, /answer \[1\]/],
];
for (const [what, outcome, words] of UNPROVEN) {
  test(`a self-test that ${what} proves nothing, and is refused`, async () => {
    await assert.rejects(judge(outcome).verdict, { code: "SANDBOX_START_FAILED", message: words });
  });
}
