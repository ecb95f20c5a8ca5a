import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ManualClock } from "../../core/manual-clock.fixture.ts";
import type { Queue } from "../queue.ts";
import { queueProperties } from "../properties.contract.ts";
import { aJob, KEEP_ALL, type OpenQueue, queueContract } from "../queue.contract.ts";
import { openSqliteQueue } from "./sqlite-queue.ts";
import { openWhenUsed } from "./when-used.ts";

const folder = mkdtempSync(join(tmpdir(), "cloche-queue-"));
const opened = new Set<Queue>();
after(async () => {
  for (const queue of opened) await queue.close();
  rmSync(folder, { recursive: true });
});
let files = 0;

const openAtOnce: OpenQueue = (_t, keep) => openWith(openSqliteQueue, keep);
const openLater: OpenQueue = (_t, keep) =>
  openWith((settings) => openWhenUsed(settings.file, () => openSqliteQueue(settings)), keep);

async function openWith(openQueue: typeof openSqliteQueue, keep = KEEP_ALL): ReturnType<OpenQueue> {
  const file = join(folder, `${++files}.db`);
  const clock = new ManualClock();
  const openHere = async (): Promise<Queue> => {
    const queue = await openQueue({ file, keep, clock });
    opened.add(queue);
    return queue;
  };
  const close = async (queue: Queue): Promise<void> => {
    opened.delete(queue);
    await queue.close();
  };
  const queue = await openHere();
  return {
    queue,
    now: () => clock.now(),
    pass: (ms) => Promise.resolve(clock.advance(ms)),
    async afterCrash() {
      await close(queue); // the file is locked while a process lives; test/e2e/jobs.test.ts kills one
      return await openHere();
    },
    close: () => close(queue),
  };
}

queueContract("the queue in SQLite", openAtOnce, 30_000);
queueContract("the queue in SQLite that is opened with its first job", openLater, 30_000);
queueProperties("the queue in SQLite", openAtOnce, { leaseMs: 30_000, runs: 60 });

test("jobs that are over are removed by age and number, dead ones later", async () => {
  const keep = { completed: { count: 50, ageMs: 1_000_000 }, dead: { count: 500, ageMs: 2_000_000 } };
  const { queue, pass } = await openWith(openSqliteQueue, keep);
  const end = async (count: number, status: "completed" | "dead"): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => queue.enqueue(aJob())));
    const { claims } = await queue.claim({ count, leaseMs: 10_000, limits: new Map() });
    await Promise.all(claims.map(({ lease }) => queue.finish(lease, { status })));
  };

  await end(100, "dead");
  await end(100, "completed"); // the 200th end trims
  assert.deepEqual(await queue.stats(), { queued: 0, running: 0, completed: 50, dead: 100, cancelled: 0 });
  await pass(1_500_000);
  await end(200, "dead");
  assert.deepEqual(await queue.stats(), { queued: 0, running: 0, completed: 0, dead: 300, cancelled: 0 });
  await pass(1_000_000);
  await end(200, "dead");
  assert.equal((await queue.stats()).dead, 400);
});

test("jobs that come together share a sync of the disk", async () => {
  const { queue } = await openWith(openSqliteQueue);
  const alone = async (): Promise<number> => {
    const startMs = performance.now();
    for (let n = 0; n < 100; n++) await queue.enqueue(aJob());
    return performance.now() - startMs;
  };
  const together = async (): Promise<number> => {
    const startMs = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => queue.enqueue(aJob())));
    return performance.now() - startMs;
  };
  const times: number[][] = [];
  for (let round = 0; round < 3; round++) times.push([await alone(), await together()]);

  assert.ok(
    times.some(([one = 0, all = Infinity]) => all < one),
    JSON.stringify(times),
  );
});

test("a queue that could not be opened refuses the job, and takes the next one", async () => {
  const { queue: real } = await openWith(openSqliteQueue);
  let isBroken = true;
  const queue = await openWhenUsed(join(folder, "none.db"), () =>
    isBroken ? Promise.reject(new Error("no room")) : Promise.resolve(real),
  );
  const heard: string[] = [];
  queue.onWork(() => heard.push("work"));

  await assert.rejects(Promise.all([queue.enqueue(aJob()), queue.enqueue(aJob())]), { message: "no room" });
  assert.deepEqual(await queue.stats(), { queued: 0, running: 0, completed: 0, dead: 0, cancelled: 0 });
  isBroken = false;
  await Promise.all([queue.enqueue(aJob()), queue.enqueue(aJob())]);

  assert.equal((await queue.stats()).queued, 2);
  assert.deepEqual(heard, ["work", "work"]);
});
