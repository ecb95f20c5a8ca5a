import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test, type TestContext } from "node:test";
import { sleep, systemClock } from "../../core/clock.ts";
import { Starvation } from "./starvation.ts";

const SPIN = ["/bin/sh", "-c", "while :; do :; done"];
const ON_ONE_CORE = ["taskset", "-c", "0"];
const ONLY_WHAT_IS_LEFT = ["chrt", "-i", "0"];

function start(t: TestContext, [file = "", ...args]: readonly string[]): number {
  const child = spawn(file, args, { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  return child.pid ?? assert.fail();
}

test("starves who wants to run and hardly does; not who runs, or rests, or is gone", async (t) => {
  const pids = {
    runs: start(t, [...ON_ONE_CORE, ...SPIN]),
    starves: start(t, [...ON_ONE_CORE, ...ONLY_WHAT_IS_LEFT, ...SPIN]),
    rests: start(t, ["sleep", "60"]),
    gone: 4_194_305, // beyond the largest pid that Linux gives
  };
  const watched = Object.entries(pids).map(([what, pid]) => ({ what, pid, starvation: new Starvation() }));
  const starving = (): string[] =>
    watched.flatMap(({ what, pid, starvation }) => (starvation.look([pid], systemClock.monotonicMs()) ? [what] : []));
  await sleep(100);
  const atFirst = starving();
  await sleep(400);
  const then = starving();

  assert.deepEqual(atFirst, []);
  assert.deepEqual(then, ["starves"]);
});
