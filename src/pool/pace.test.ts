import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

function after(...runsMs: readonly number[]): Pace {
  const pace = new Pace();
  for (const runMs of runsMs) pace.ran(runMs);
  return pace;
}

const times = (count: number, runMs: number): number[] => Array.from({ length: count }, () => runMs);

test("a version is fast after eight fast runs, not before", () => {
  assert.equal(after(...times(7, 0.1)).fast, false);
  assert.equal(after(...times(8, 0.1)).fast, true);
});

test("a version whose runs all take long is not fast", () => {
  assert.equal(after(...times(100, 20)).fast, false);
});

test("one hiccup among fast runs does not make a version slow", () => {
  assert.equal(after(...times(20, 0.1), 400).fast, true);
});

test("a version that becomes slow is known to be so within some thirty runs, and the way back is open", () => {
  assert.equal(after(...times(200, 0.1), ...times(30, 20)).fast, false);
  assert.equal(after(...times(100, 20), ...times(300, 0.1)).fast, true);
});

test("runs that wait for a core now and then are quick all the same, those that need one for long are not", () => {
  const now = [12, 0.5, 0.5, 0.5, 0.5];
  const waiting = after(...Array.from({ length: 20 }, () => now).flat());
  assert.deepEqual([waiting.fast, waiting.quick], [false, true]);
  assert.equal(after(...times(100, 20)).quick, false);
  assert.equal(after(...times(7, 0.1)).quick, false);
  assert.equal(after(...times(20, 0.1), 400).quick, true);
});

test("what a run costs is known apart from how long it takes", () => {
  const pace = new Pace();
  for (let runs = 0; runs < 100; runs++) pace.ran(3, 0.5);
  assert.ok(Math.abs(pace.cpuMs - 0.5) < 0.01, String(pace.cpuMs));
  assert.ok(Math.abs(after(...times(100, 3)).cpuMs - 3) < 0.01);
});

test("what a run takes usually is learnt from most of them, and not from hiccups", () => {
  const mostly = after(20, ...Array.from({ length: 200 }, (_none, at) => (at % 4 === 0 ? 30 : 0.1)));
  assert.ok(mostly.usualMs > 0.05 && mostly.usualMs < 0.3, `${mostly.usualMs} ms`);
});
