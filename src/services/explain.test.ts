import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, type Failure, statusOf } from "./explain.ts";

const CASES: readonly (readonly [Failure, status: string, text: string])[] = [
  [{ kind: "failed", name: "E", message: "m", stack: "E: m\n  at f" }, "error", "m\nE: m\n  at f"],
  [{ kind: "failed", name: "E", message: "m", stack: "" }, "error", "m"],
  [{ kind: "exited", exitCode: 3 }, "error", "exit status 3"],
  [{ kind: "timed-out", limitMs: 1500 }, "timeout", "execution timeout (max 1.5s), setting TIMEOUT_SCRIPT"],
  [{ kind: "out-of-memory", limitBytes: 134_217_728 }, "oom", "memory limit exceeded (max 128M), setting MAX_MEMORY"],
  [
    { kind: "output-limit", limitBytes: 1024 },
    "killed",
    "output limit exceeded (max 1024 bytes printed or returned), setting OUTPUT_MAX_SIZE",
  ],
  [{ kind: "crashed", detail: "signal SIGSEGV" }, "error", "the process ended unexpectedly: signal SIGSEGV"],
  [{ kind: "cancelled" }, "cancelled", "cancelled: the client went away"],
];

for (const [outcome, status, text] of CASES) {
  test(`a run that ${outcome.kind} has the status ${status} and says: ${JSON.stringify(text)}`, () => {
    assert.equal(statusOf(outcome), status);
    assert.equal(explain(outcome), text);
  });
}

test("a run that went well is a success", () => {
  assert.equal(statusOf({ kind: "ok", json: undefined }), "success");
});
