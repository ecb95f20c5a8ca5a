import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import type { Claim, ClaimRequest, JobQuery, JobRetention, JobSummary, NewJob, Queue } from "./queue.ts";

/** A queue in a place of its own. */
export interface QueueUnderTest {
  readonly queue: Queue;
  /** Its time, Unix milliseconds. */
  readonly now: () => number;
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void>;
  /** Another queue on the same jobs after this one has gone without a word, as after a crash. */
  readonly afterCrash: () => Promise<Queue>;
  readonly close: () => Promise<void>;
}

export type OpenQueue = (t: TestContext | undefined, keep?: JobRetention) => Promise<QueueUnderTest>;

export const KEEP_ALL: JobRetention = {
  completed: { count: 100_000, ageMs: 86_400_000 },
  dead: { count: 100_000, ageMs: 86_400_000 },
};
const SOON_MS = 20_000;
const STEP_MS = 25;

let jobs = 0;

export function aJob(changes: Partial<NewJob> = {}): NewJob {
  return {
    id: `job-${++jobs}`,
    ...{ kind: "invocation", functionId: "fn", limitedBy: undefined, payload: "{}" },
    ...{ priority: 0, attempts: 3, runAtMs: 0 },
    ...changes,
  };
}

/** What every queue must do. @param leaseMs long enough that none ends while a test is at work on it */
export function queueContract(name: string, open: OpenQueue, leaseMs: number): void {
  const wanted = (count = 10, limits: Record<string, number> = {}): ClaimRequest => ({
    ...{ count, leaseMs, limits: new Map(Object.entries(limits)) },
  });

  /** Claims as time passes until there are `count`. */
  async function claimSoon({ queue, pass }: QueueUnderTest, count: number, request = wanted(count)): Promise<Claim[]> {
    const claims: Claim[] = [];
    for (let waitedMs = 0; claims.length < count; waitedMs += STEP_MS) {
      claims.push(...(await queue.claim({ ...request, count: count - claims.length })).claims);
      if (claims.length === count) break;
      assert.ok(waitedMs < SOON_MS, `${claims.length} of ${count} jobs could be claimed within ${SOON_MS} ms`);
      await pass(STEP_MS);
      await queue.heartbeat(
        claims.map(({ lease }) => lease),
        leaseMs,
      );
    }
    return claims;
  }

  async function claimOne(under: QueueUnderTest): Promise<Claim> {
    const [claim] = await claimSoon(under, 1);
    assert.ok(claim);
    return claim;
  }

  const ids = (claims: readonly Claim[]): string[] => claims.map(({ job }) => job.id);

  async function listed(queue: Queue, query: Partial<JobQuery>): Promise<JobSummary[]> {
    const items: JobSummary[] = [];
    let cursor: string | undefined;
    do {
      const page = await queue.list({ limit: 3, ...query, cursor });
      assert.ok(page.items.length <= 3);
      items.push(...page.items);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return items;
  }

  suite(name, () => {
    test("a job comes out as it went in, and is there at every step", async (t) => {
      const under = await open(t);
      const { queue } = under;
      const job = aJob({ id: "cron:a-function:123", payload: '{"text":"Grüße \\u0000"}', attempts: 2, kind: "cron" });

      assert.deepEqual(await queue.enqueue(job), { isNew: true, jobId: job.id, fingerprint: undefined });
      const queued = await queue.find(job.id);
      assert.deepEqual(
        [queued?.status, queued?.payload, queued?.kind, queued?.functionId, queued?.attempts, queued?.attemptsMade],
        ["queued", job.payload, "cron", "fn", 2, 0],
      );
      const claim = await claimOne(under);
      assert.deepEqual([claim.job.id, claim.job.payload, claim.lease.attempt], [job.id, job.payload, 1]);
      const running = await queue.find(job.id);
      assert.deepEqual([running?.status, running?.attemptsMade], ["running", 1]);
      assert.match(running?.history[0]?.executionId ?? "", /^[\da-f-]{36}$/);
      assert.equal(await queue.finish(claim.lease, { status: "completed", result: '{"n":1}' }), true);

      const over = await queue.find(job.id);
      assert.deepEqual([over?.status, over?.result, over?.error], ["completed", '{"n":1}', undefined]);
      assert.equal(over?.history.length, 1);
      const [attempt] = over.history;
      assert.ok(attempt?.endedAtMs !== undefined && attempt.endedAtMs >= attempt.startedAtMs);
      assert.ok(over.finishedAtMs !== undefined && over.finishedAtMs >= over.createdAtMs);
      assert.deepEqual((await queue.claim(wanted())).claims, []);
      assert.equal(await queue.find("nobody"), undefined);
    });

    test("a second job of the same id is not added, whatever became of the first", async (t) => {
      const under = await open(t);
      const { queue } = under;
      const job = aJob();
      const added = await Promise.all(Array.from({ length: 20 }, () => queue.enqueue(job)));

      assert.equal(added.filter(({ isNew }) => isNew).length, 1);
      const claim = await claimOne(under);
      assert.equal((await queue.enqueue(job)).isNew, false);
      await queue.finish(claim.lease, { status: "completed" });
      assert.equal((await queue.enqueue({ ...job, payload: "[]" })).isNew, false);
      assert.equal((await queue.find(job.id))?.payload, "{}");
      assert.deepEqual((await queue.claim(wanted())).claims, []);
    });

    test("one job is added under a key while the key lasts, and whoever comes later is told of it", async (t) => {
      const under = await open(t);
      const { queue, pass } = under;
      const once = { key: "k", fingerprint: "f", forMs: 1_500 };
      const all = Array.from({ length: 20 }, () => aJob({ once }));
      const added = await Promise.all(all.map((job) => queue.enqueue(job)));

      const first = added.find(({ isNew }) => isNew);
      assert.ok(first);
      assert.equal(added.filter(({ isNew }) => isNew).length, 1);
      for (const { jobId, fingerprint } of added) assert.deepEqual([jobId, fingerprint], [first.jobId, "f"]);
      const other = await queue.enqueue(aJob({ once: { ...once, fingerprint: "g" } }));
      assert.deepEqual(other, { isNew: false, jobId: first.jobId, fingerprint: "f" });
      assert.equal((await queue.enqueue(aJob({ once: { ...once, key: "l" } }))).isNew, true);

      await pass(1_600);
      assert.equal((await queue.enqueue(aJob({ once }))).isNew, true);
    });

    test("two claimers never get the same job", async (t) => {
      const under = await open(t);
      const { queue } = under;
      await Promise.all(Array.from({ length: 30 }, () => queue.enqueue(aJob())));

      const claims = (await Promise.all(Array.from({ length: 6 }, () => queue.claim(wanted(5))))).flatMap(
        (each) => each.claims,
      );
      assert.equal(claims.length, 30);
      assert.equal(new Set(ids(claims)).size, 30);
    });

    test("higher priorities come first, and the older one of two that are equal", async (t) => {
      const under = await open(t);
      for (const [id, priority] of [
        ["low", -10],
        ["first", 0],
        ["second", 0],
        ["high", 10],
        ["higher-than-none", 1],
      ] as const) {
        await under.queue.enqueue(aJob({ id, priority }));
      }

      const order: string[] = [];
      for (let n = 0; n < 5; n++) order.push(...ids(await claimSoon(under, 1)));
      assert.deepEqual(order, ["high", "higher-than-none", "first", "second", "low"]);
    });

    test("a job is not claimed before it is due, and the claim tells when to come again", async (t) => {
      const under = await open(t);
      const { queue } = under;
      const runAtMs = under.now() + 700;
      await queue.enqueue(aJob({ id: "later", runAtMs }));

      const { claims, nextDueMs } = await queue.claim(wanted());
      assert.deepEqual(claims, []);
      assert.ok(nextDueMs !== undefined && nextDueMs <= runAtMs + 1, `${nextDueMs} is not after ${runAtMs}`);
      await claimOne(under);
      assert.ok(under.now() >= runAtMs);
    });

    test("a failed attempt is due again when its holder says, and told of", async (t) => {
      const under = await open(t);
      const { queue } = under;
      const job = aJob();
      await queue.enqueue(job);
      const first = await claimOne(under);
      const atMs = under.now() + 400;

      assert.equal(await queue.retry(first.lease, { atMs, error: "it broke" }), true);
      const waiting = await queue.find(job.id);
      assert.deepEqual([waiting?.status, waiting?.error, waiting?.attemptsMade], ["queued", "it broke", 1]);
      assert.ok(Math.abs((waiting?.runAtMs ?? 0) - atMs) < 100, "the next try is told");
      const second = await claimOne(under);
      assert.ok(under.now() >= atMs);
      assert.equal(second.lease.attempt, 2);
      assert.deepEqual(
        second.job.history.map(({ number, error }) => [number, error]),
        [
          [1, "it broke"],
          [2, undefined],
        ],
      );
      assert.notEqual(second.job.history[0]?.executionId, second.job.history[1]?.executionId);
      assert.equal(await queue.finish(second.lease, { status: "dead", error: "again" }), true);
      const dead = await queue.find(job.id);
      assert.deepEqual([dead?.status, dead?.error, dead?.history.at(-1)?.error], ["dead", "again", "again"]);
    });

    test("a released job has as many attempts left as before", async (t) => {
      const under = await open(t);
      const { queue } = under;
      const job = aJob({ attempts: 1 });
      await queue.enqueue(job);

      for (let n = 0; n < 3; n++) {
        const claim = await claimOne(under);
        assert.deepEqual([claim.lease.attempt, claim.exhausted, claim.job.history.length], [1, false, 1]);
        assert.equal(await queue.release(claim.lease, under.now()), true);
        const back = await queue.find(job.id);
        assert.deepEqual([back?.status, back?.attemptsMade, back?.history], ["queued", 0, []]);
      }
    });

    test("a holder that is silent loses its job, and whatever it says later is refused", async (t) => {
      const under = await open(t);
      const { queue, pass } = under;
      const job = aJob();
      await queue.enqueue(job);
      const first = await claimOne(under);
      await pass(leaseMs + 1);

      const second = await claimOne(under);
      assert.deepEqual([second.job.id, second.lease.attempt, second.exhausted], [job.id, 2, false]);
      assert.match(second.job.history[0]?.error ?? "", /lost/);
      assert.deepEqual(await queue.heartbeat([first.lease, second.lease], leaseMs), ["lost", "kept"]);
      assert.equal(
        await queue.finish(first.lease, { status: "completed", result: '"old"' }, aJob({ id: "no" })),
        false,
      );
      assert.equal(await queue.retry(first.lease, { atMs: 0, error: "old" }), false);
      assert.equal(await queue.release(first.lease, 0), false);
      assert.equal(await queue.finish(second.lease, { status: "completed", result: '"new"' }), true);
      assert.equal(await queue.finish(second.lease, { status: "completed", result: '"twice"' }), false);
      assert.equal((await queue.find(job.id))?.result, '"new"');
      assert.equal(await queue.find("no"), undefined);
    });

    test("a lease lasts as long as its holder is heard of", async (t) => {
      const under = await open(t);
      const { queue, pass } = under;
      await queue.enqueue(aJob());
      const claim = await claimOne(under);

      for (let n = 0; n < 6; n++) {
        await pass(leaseMs / 4);
        assert.deepEqual(await queue.heartbeat([claim.lease], leaseMs), ["kept"]);
        assert.deepEqual((await queue.claim(wanted())).claims, []);
      }
      assert.equal(await queue.finish(claim.lease, { status: "completed" }), true);
    });

    test("what was lost with its last attempt is handed out only to be ended", async (t) => {
      const under = await open(t);
      const { queue, pass } = under;
      const job = aJob({ attempts: 1 });
      await queue.enqueue(job);
      await claimOne(under);
      await pass(leaseMs + 1);

      const last = await claimOne(under);
      assert.deepEqual([last.exhausted, last.job.attemptsMade, last.job.history.length], [true, 1, 1]);
      assert.match(last.job.history[0]?.error ?? "", /lost/);
      assert.equal(await queue.finish(last.lease, { status: "dead", error: "gone" }), true);
      assert.equal((await queue.find(job.id))?.status, "dead");
    });

    test("what is accepted outlives a crash, with what had been begun", async (t) => {
      const under = await open(t);
      await Promise.all(Array.from({ length: 20 }, (_, n) => under.queue.enqueue(aJob({ id: `kept-${n}` }))));
      const begun = await claimSoon(under, 5);

      const queue = await under.afterCrash();
      const again = { ...under, queue };
      const claims = await claimSoon(again, 20);
      assert.deepEqual(ids(claims).toSorted(), Array.from({ length: 20 }, (_, n) => `kept-${n}`).toSorted());
      for (const { job, lease } of claims) assert.equal(lease.attempt, ids(begun).includes(job.id) ? 2 : 1);
    });

    test("no more jobs of one limit run than it says, and others pass them by", async (t) => {
      const under = await open(t);
      const { queue } = under;
      for (let n = 0; n < 6; n++) await queue.enqueue(aJob({ id: `limited-${n}`, limitedBy: "a", priority: 5 }));
      await queue.enqueue(aJob({ id: "free" }));
      await queue.enqueue(aJob({ id: "other", limitedBy: "b" }));
      const limits = { a: 2 };

      const claims = await claimSoon(under, 4, wanted(4, limits));
      assert.deepEqual(ids(claims).toSorted(), ["free", "limited-0", "limited-1", "other"]);
      for (let n = 0; n < 3; n++) assert.deepEqual((await queue.claim(wanted(4, limits))).claims, []);
      const done = new Set<string>();
      const running = claims.filter(({ job }) => job.limitedBy === "a");
      for (let next = running.shift(); next !== undefined; next = running.shift()) {
        done.add(next.job.id);
        if (done.size % 2 === 0) await queue.finish(next.lease, { status: "completed" });
        else await queue.finish(next.lease, { status: "dead" });
        assert.ok(running.length < 2);
        if (done.size + running.length < 6) running.push(...(await claimSoon(under, 1, wanted(4, limits))));
      }
      assert.equal(done.size, 6);
    });

    test("a limit's place is free again after a retry, a release and a loss", async (t) => {
      const under = await open(t);
      const { queue, pass } = under;
      const limits = { a: 1 };
      for (let n = 0; n < 4; n++) await queue.enqueue(aJob({ id: `place-${n}`, limitedBy: "a" }));
      const later = (): number => under.now() + 60_000;

      const [first] = await claimSoon(under, 1, wanted(1, limits));
      await queue.retry(first!.lease, { atMs: later(), error: "x" });
      const [second] = await claimSoon(under, 1, wanted(1, limits));
      await queue.release(second!.lease, later());
      const [third] = await claimSoon(under, 1, wanted(1, limits));
      await pass(leaseMs + 1);
      const [fourth] = await claimSoon(under, 1, wanted(1, limits));
      assert.equal(new Set([first, second, third].map((claim) => claim?.job.id)).size, 3);
      assert.ok(fourth);
      assert.deepEqual((await queue.claim(wanted(4, limits))).claims, []);
    });

    test("a queued job is cancelled at once, a running one by its holder", async (t) => {
      const under = await open(t);
      const { queue } = under;
      const [queued, delayed, running] = [aJob(), aJob({ runAtMs: under.now() + 3_600_000 }), aJob({ priority: 5 })];
      for (const job of [queued, delayed, running]) await queue.enqueue(job);
      const claim = await claimOne(under);
      assert.equal(claim.job.id, running.id);

      for (const { id } of [queued, delayed]) {
        assert.equal(await queue.cancel(id), "cancelled");
        assert.equal((await queue.find(id))?.status, "cancelled");
      }
      assert.equal(await queue.cancel(running.id), "running");
      assert.equal((await queue.find(running.id))?.status, "running");
      assert.deepEqual(await queue.heartbeat([claim.lease], leaseMs), ["cancel"]);
      assert.equal(await queue.finish(claim.lease, { status: "cancelled" }), true);
      assert.equal(await queue.cancel(running.id), "over");
      assert.equal(await queue.cancel("nobody"), "missing");
      for (let n = 0; n < 3; n++) assert.deepEqual((await queue.claim(wanted())).claims, []);
      assert.deepEqual(await queue.stats(), { queued: 0, running: 0, completed: 0, dead: 0, cancelled: 3 });
    });

    test("a job that was to be cancelled does not run again, however its attempt ended", async (t) => {
      const under = await open(t);
      const { queue, pass } = under;
      const all = [aJob(), aJob(), aJob()];
      for (const job of all) await queue.enqueue(job);
      const [retried, released] = await claimSoon(under, 3);
      for (const { id } of all) assert.equal(await queue.cancel(id), "running");

      await queue.retry(retried!.lease, { atMs: 0, error: "failed" });
      await queue.release(released!.lease, 0);
      await pass(leaseMs + 1);
      for (let waitedMs = 0; (await queue.stats()).cancelled < 3; waitedMs += STEP_MS) {
        assert.ok(waitedMs < SOON_MS);
        assert.deepEqual((await queue.claim(wanted())).claims, []);
        await pass(STEP_MS);
      }
      for (const { id } of all) assert.equal((await queue.find(id))?.status, "cancelled");
    });

    test("dead and cancelled jobs are replayed with all their attempts, and their history stays", async (t) => {
      const under = await open(t);
      const { queue } = under;
      const [dead, cancelled, completed] = [aJob({ attempts: 1 }), aJob({ priority: -1 }), aJob({ priority: -2 })];
      for (const job of [dead, cancelled, completed]) await queue.enqueue(job);
      const first = await claimOne(under);
      assert.equal(await queue.replay(dead.id), "not-dead");
      await queue.finish(first.lease, { status: "dead", error: "broken", result: '"r"' });
      await queue.cancel(cancelled.id);

      assert.equal(await queue.replay(dead.id), "queued");
      const queued = await queue.find(dead.id);
      assert.deepEqual(
        [queued?.status, queued?.attemptsMade, queued?.error, queued?.result, queued?.finishedAtMs],
        ["queued", 0, undefined, undefined, undefined],
      );
      assert.equal(await queue.replay(cancelled.id), "queued");
      assert.equal(await queue.replay("nobody"), "missing");
      const claims = await claimSoon(under, 3);
      const again = claims.find(({ job }) => job.id === dead.id);
      assert.ok(again);
      assert.deepEqual([again.exhausted, again.lease.attempt, again.job.history.length], [false, 2, 2]);
      for (const { lease } of claims) assert.equal(await queue.finish(lease, { status: "completed" }), true);
      assert.equal(await queue.replay(completed.id), "not-dead");
    });

    test("what follows a job is added with its end", async (t) => {
      const under = await open(t);
      const { queue } = under;
      await queue.enqueue(aJob());
      const claim = await claimOne(under);
      const followUp = aJob({ id: "follow-up", kind: "callback" });

      assert.equal(await queue.finish(claim.lease, { status: "completed" }, followUp), true);
      assert.equal((await claimOne(under)).job.id, "follow-up");
    });

    test("jobs are listed from the newest on, by page, function, state and kind", async (t) => {
      const under = await open(t);
      const { queue, pass } = under;
      for (let n = 0; n < 8; n++) {
        await queue.enqueue(
          aJob({ id: `l-${n}`, functionId: n % 2 === 0 ? "even" : "odd", kind: n < 6 ? "invocation" : "cron" }),
        );
        await pass(2); // jobs of the same millisecond may come in any order
      }
      const [claim] = await claimSoon(under, 1);
      await queue.finish(claim!.lease, { status: "dead", error: "why" });

      const idsOf = async (query: Partial<JobQuery>) => (await listed(queue, query)).map(({ id }) => id);
      assert.deepEqual(await idsOf({}), ["l-7", "l-6", "l-5", "l-4", "l-3", "l-2", "l-1", "l-0"]);
      assert.deepEqual(await idsOf({ functionId: "even" }), ["l-6", "l-4", "l-2", "l-0"]);
      assert.deepEqual(await idsOf({ functionId: "even", status: "queued" }), ["l-6", "l-4", "l-2"]);
      assert.deepEqual(await idsOf({ kind: "cron" }), ["l-7", "l-6"]);
      const [dead] = await listed(queue, { status: "dead" });
      assert.deepEqual([dead?.id, dead?.error], ["l-0", "why"]);
      assert.deepEqual(await idsOf({ functionId: "nobody" }), []);
      assert.deepEqual((await queue.list({ limit: 3, cursor: "nonsense" })).items, []);
      assert.deepEqual(await queue.stats(), { queued: 7, running: 0, completed: 0, dead: 1, cancelled: 0 });
    });

    test("jobs whose time has come are counted, not those of later", async (t) => {
      const under = await open(t);
      const { queue } = under;
      for (const priority of [0, 3, -3]) await queue.enqueue(aJob({ priority }));
      await queue.enqueue(aJob({ runAtMs: under.now() + 2 * STEP_MS }));
      await queue.enqueue(aJob({ runAtMs: under.now() + 10 * leaseMs }));
      await claimSoon(under, 1);
      assert.equal(await queue.countDue(), 2);

      await under.pass(3 * STEP_MS);
      assert.equal(await queue.countDue(), 3);
    });

    test("whoever listens is told of work that comes", async (t) => {
      const under = await open(t);
      const told: number[] = [];
      under.queue.onWork(() => told.push(under.now()));

      await under.queue.enqueue(aJob());
      for (let waitedMs = 0; told.length === 0; waitedMs += STEP_MS) {
        assert.ok(waitedMs < SOON_MS, "told of a new job");
        await under.pass(STEP_MS);
      }
    });
  });
}
