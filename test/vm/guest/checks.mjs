// What a server must do, whoever runs it: answer, and hold its boxes to their limits.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { read, readKeyed } from "./cgroups.mjs";
import { nothingOf } from "./client.mjs";
import { EAT_200_MIB, FORK_BOMB, SLEEP_5_S, SPIN } from "./programs.mjs";

const MIB = 1024 * 1024;

/** What a server has to be started with for the checks below. */
export const SETTINGS = { MAX_MEMORY: "96M", MAX_CPUS: "0.25", TIMEOUT_SCRIPT: "8" };

/** What `Client.limits` tells of such a server. */
export const HARD_LIMITS = [
  [true, "96 MiB by cgroup v2"],
  [true, "0.25 cores by cgroup v2"],
  [true, "64 by cgroup v2"],
];

export async function answersInEveryLanguage(client) {
  for (const language of ["javascript", "typescript", "python", "lua"]) {
    assert.equal(await client.runNow(language, "return 6 * 7"), '{"data":42,"type":"number"}', language);
  }
}

export async function boxHasItsLimits(client) {
  const run = client.runNow("python", SLEEP_5_S);
  const box = await client.busyBox();
  assert.equal(read(box, "memory.max"), String(96 * MIB));
  assert.equal(read(box, "memory.swap.max"), "0");
  assert.equal(read(box, "pids.max"), "64");
  assert.equal(read(box, "cpu.max"), "25000 100000");
  assert.match(await run, /slept/);
}

/** There is swap enough to survive; a box has none of it. */
export async function memoryHolds(client, language) {
  const freeSwapKib = Number(/^SwapFree:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]);
  assert.ok(freeSwapKib > 300 * 1024, `${freeSwapKib} KiB of swap`);
  const other = client.runNow("python", `${SLEEP_5_S} # beside ${language}`);
  await client.busyBox();
  const eater = await client.runNow(language, EAT_200_MIB[language]);
  assert.match(eater, /^failed to run: memory limit exceeded \(max 96M\), setting MAX_MEMORY$/);
  assert.match(await other, /slept/, "no other box was ended");
}

export async function processesHold(client) {
  const run = client.runNow("python", FORK_BOMB);
  const box = await client.busyBox();
  while (readKeyed(box, "pids.events", "max") === 0) await delay(50);
  const processes = Number(read(box, "pids.current"));
  assert.ok(processes > 50 && processes <= 64, `${processes} processes`);
  assert.match(await run, /execution timeout \(max 8s\)/);
  await nothingOf(() => [box].filter((folder) => existsSync(folder)));
}

export async function cpuHolds(client) {
  const run = client.runNow("javascript", SPIN);
  const box = await client.busyBox();
  const [startedMs, startedUs] = [performance.now(), readKeyed(box, "cpu.stat", "usage_usec")];
  await delay(4000);
  const share = (readKeyed(box, "cpu.stat", "usage_usec") - startedUs) / 1000 / (performance.now() - startedMs);
  assert.ok(share > 0.15 && share < 0.3, `${share} of a core`);
  assert.ok(readKeyed(box, "cpu.stat", "nr_throttled") > 10);
  assert.match(await run, /execution timeout/);
}
