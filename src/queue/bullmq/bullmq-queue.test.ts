import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createNodeRedisClient, Worker } from "bullmq";
import { createClient } from "redis";
import { systemClock } from "../../core/clock.ts";
import { RedisUnderTest } from "../../store/redis/redis-under-test.fixture.ts";
import { queueProperties } from "../properties.contract.ts";
import type { Queue } from "../queue.ts";
import { aJob, KEEP_ALL, type OpenQueue, queueContract } from "../queue.contract.ts";
import { openBullmqQueue } from "./bullmq-queue.ts";

const LEASE_MS = 1_500;
const STALLED_CHECK_MS = 100;

let redis: RedisUnderTest;
const opened = new Set<Queue>();
before(async () => {
  redis = await RedisUnderTest.start("--appendfsync", "everysec");
});
after(async () => {
  for (const queue of opened) await queue.close();
  await redis?.dispose();
});
let prefixes = 0;

const open: OpenQueue = async (_t, keep = KEEP_ALL) => {
  const prefix = `test-${++prefixes}:`;
  const openHere = async (): Promise<Queue> => {
    const settings = redis.settings({ prefix });
    const queue = await openBullmqQueue({
      settings,
      keep,
      clock: systemClock,
      log: () => {},
      stalledCheckMs: STALLED_CHECK_MS,
    });
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
    now: () => Date.now(),
    pass: (ms) => delay(ms, undefined),
    async afterCrash() {
      await close(queue); // which says nothing of what it holds
      return await openHere();
    },
    close: () => close(queue),
  };
};

queueContract("the queue on BullMQ", open, LEASE_MS);
queueProperties("the queue on BullMQ", open, { leaseMs: 300, runs: 15 });

test("two nodes share the jobs, and each is told of what the other adds", async () => {
  const one = await open(undefined);
  const prefix = `test-${prefixes}:`;
  const settings = redis.settings({ prefix });
  const other = await openBullmqQueue({ settings, keep: KEEP_ALL, clock: systemClock, log: () => {} });
  opened.add(other);
  let told = 0;
  other.onWork(() => told++);
  const jobs = Array.from({ length: 40 }, () => aJob());

  await Promise.all(jobs.map((job, n) => (n % 2 === 0 ? one.queue : other).enqueue(job)));
  const wanted = { count: 40, leaseMs: LEASE_MS, limits: new Map() };
  const claims = (await Promise.all([one.queue.claim(wanted), other.claim(wanted)])).flatMap((each) => each.claims);

  assert.deepEqual(claims.map(({ job }) => job.id).toSorted(), jobs.map(({ id }) => id).toSorted());
  assert.ok(told >= 20, `${told} times`);
});

test("while Redis is gone calls are refused in time, and all is there when it is back", async () => {
  const own = await RedisUnderTest.start();
  const settings = own.settings({ timeoutMs: 2_000 });
  const queue = await openBullmqQueue({ settings, keep: KEEP_ALL, clock: systemClock, log: () => {} });
  try {
    const job = aJob();
    await queue.enqueue(job);
    await own.kill();
    await assert.rejects(queue.enqueue(aJob()), { code: "STORE_UNAVAILABLE", message: /the queue in Redis at / });
    await own.start();
    const giveUpAtMs = Date.now() + 20_000;
    for (;;) {
      const found = await queue.find(job.id).catch(() => undefined);
      if (found !== undefined) break;
      assert.ok(Date.now() < giveUpAtMs, "it is found again");
      await delay(50);
    }
    const { claims } = await queue.claim({ count: 1, leaseMs: 10_000, limits: new Map() });
    assert.equal(claims[0]?.job.id, job.id);
  } finally {
    await queue.close();
    await own.dispose();
  }
});

test("a claim that is answered too late takes no attempt of its job", async () => {
  const own = await RedisUnderTest.start();
  const options = { keep: KEEP_ALL, clock: systemClock, log: () => {}, stalledCheckMs: STALLED_CHECK_MS };
  const queue = await openBullmqQueue({ ...options, settings: own.settings({ timeoutMs: 500 }) });
  const patient = await openBullmqQueue({ ...options, settings: own.settings() });
  try {
    const job = aJob({ attempts: 1 });
    await patient.enqueue(job);
    own.freeze();
    await assert.rejects(queue.claim({ count: 1, leaseMs: 60_000, limits: new Map() }), { code: "STORE_UNAVAILABLE" });
    own.resume();

    assert.deepEqual(await claimSoon(patient), [job.id, 1, false]);
  } finally {
    own.resume();
    await Promise.all([queue.close(), patient.close()]);
    await own.dispose();
  }
});

test("nor does one whose answer was lost on its way", async () => {
  const { queue } = await open(undefined);
  const job = aJob({ attempts: 1 });
  await queue.enqueue(job);
  // As it is when the one that asked has died, or its connection: Redis has given the job away, and nobody knows.
  const client = createClient({ socket: { path: redis.path, tls: false } });
  await client.connect();
  const connection = createNodeRedisClient(client);
  const lockDuration = 200;
  const worker = new Worker("jobs", undefined, {
    ...{ connection, prefix: `test-${prefixes}:bull`, autorun: false, lockDuration },
  });
  try {
    await worker.waitUntilReady();
    assert.equal((await worker.getNextJob("somebody", { block: false }))?.id, job.id);

    assert.deepEqual(await claimSoon(queue), [job.id, 1, false]);
  } finally {
    await worker.close(true);
    client.destroy();
  }
});

test("those of many claims that are answered too late take no attempt either", async () => {
  const own = await RedisUnderTest.start();
  const options = { keep: KEEP_ALL, clock: systemClock, log: () => {}, stalledCheckMs: STALLED_CHECK_MS };
  const queue = await openBullmqQueue({ ...options, settings: own.settings({ timeoutMs: 500 }) });
  const patient = await openBullmqQueue({ ...options, settings: own.settings() });
  try {
    const jobs = Array.from({ length: 100 }, () => aJob({ attempts: 1 }));
    await Promise.all(jobs.map((job) => patient.enqueue(job)));
    const claiming = queue.claim({ count: jobs.length, leaseMs: 60_000, limits: new Map() });
    // Frozen somewhere in its middle; wherever that is, what it has told nobody of is not lost.
    const giveUpAtMs = Date.now() + 20_000;
    while ((await patient.stats()).running === 0) assert.ok(Date.now() < giveUpAtMs, "some are claimed");
    own.freeze();
    const { claims } = await claiming.catch(() => ({ claims: [] }));
    own.resume();

    const seen = new Map(claims.map(({ job }) => [job.id, 1]));
    while (seen.size < jobs.length) {
      const [id, attempt, exhausted] = await claimSoon(patient);
      assert.ok(!seen.has(id), "it is nobody's");
      assert.ok(!exhausted, "it has its attempt");
      seen.set(id, attempt);
    }
    assert.deepEqual(new Set(seen.values()), new Set([1]));
  } finally {
    own.resume();
    await Promise.all([queue.close(), patient.close()]);
    await own.dispose();
  }
});

test("a lease may be ended by its words alone, with all that has been before it", async () => {
  const { queue } = await open(undefined);
  const job = aJob({ attempts: 2, limitedBy: "fn" });
  await queue.enqueue(job);
  const wanted = { count: 1, leaseMs: LEASE_MS, limits: new Map([["fn", 1]]) };
  const [first] = (await queue.claim(wanted)).claims;
  assert.ok(first);
  assert.ok(await queue.retry(first.lease, { atMs: 0, error: "not yet" }));
  const [second] = (await queue.claim(wanted)).claims;
  assert.ok(second);

  assert.equal(await queue.finish({ ...second.lease, fence: "another" }, { status: "completed" }), false);
  assert.ok(await queue.finish({ ...second.lease }, { status: "completed", result: "1" }));
  const found = await queue.find(job.id);
  assert.deepEqual(
    [found?.status, found?.result, found?.history.map(({ error }) => error)],
    ["completed", "1", ["not yet", undefined]],
  );
  const next = aJob({ limitedBy: "fn" });
  await queue.enqueue(next);
  assert.equal((await queue.claim(wanted)).claims[0]?.job.id, next.id, "its place is free");
});

test("an end that is written counts, and what follows it is added, though whoever wrote it has died before the rest", async () => {
  const { queue } = await open(undefined);
  const job = aJob({ attempts: 1 });
  const followUp = aJob();
  await queue.enqueue(job);
  const { claims } = await queue.claim({ count: 1, leaseMs: 200, limits: new Map() });
  assert.equal(claims[0]?.job.id, job.id);
  const client = createClient({ socket: { path: redis.path, tls: false } });
  await client.connect();
  try {
    const end = { status: "completed", result: "1", finishedAtMs: Date.now(), followUp };
    await client.hSet(`test-${prefixes}:bull:jobs:${job.id}`, "x:end", JSON.stringify(end));

    assert.deepEqual(await claimSoon(queue), [followUp.id, 1, false]);
    assert.equal((await queue.find(job.id))?.result, "1");
    assert.deepEqual(await queue.stats(), { queued: 0, running: 1, completed: 1, dead: 0, cancelled: 0 });
  } finally {
    client.destroy();
  }
});

/** What can be claimed, once there is something: its id, its attempt, and whether that is one too many. */
async function claimSoon(queue: Queue): Promise<[string, number, boolean]> {
  const giveUpAtMs = Date.now() + 20_000;
  for (;;) {
    const { claims } = await queue.claim({ count: 1, leaseMs: 10_000, limits: new Map() });
    const [claim] = claims;
    if (claim !== undefined) return [claim.job.id, claim.lease.attempt, claim.exhausted];
    assert.ok(Date.now() < giveUpAtMs, "there is something to claim");
    await delay(50);
  }
}

test("jobs that are over are removed by their number", async () => {
  const { queue } = await open(undefined, {
    completed: { count: 5, ageMs: 60_000 },
    dead: { count: 3, ageMs: 60_000 },
  });
  await Promise.all(Array.from({ length: 20 }, () => queue.enqueue(aJob())));
  const { claims } = await queue.claim({ count: 20, leaseMs: 20_000, limits: new Map() });
  for (const [n, { lease }] of claims.entries()) await queue.finish(lease, { status: n < 10 ? "completed" : "dead" });

  assert.deepEqual(await queue.stats(), { queued: 0, running: 0, completed: 5, dead: 3, cancelled: 0 });
});
