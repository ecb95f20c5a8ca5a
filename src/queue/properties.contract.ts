import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Claim, Queue } from "./queue.ts";
import { aJob, type OpenQueue, type QueueUnderTest } from "./queue.contract.ts";

const IDS = 6;
const LIMITS = new Map([["narrow", 1]]);
const STEP_MS = 25;
const SOON_MS = 30_000;

type Step =
  | {
      readonly do: "enqueue";
      readonly job: number;
      readonly attempts: number;
      readonly delayMs: number;
      readonly isNarrow: boolean;
    }
  | { readonly do: "claim"; readonly count: number }
  | {
      readonly do: "complete" | "die" | "retry" | "release" | "crash" | "heartbeat" | "speak-late";
      readonly which: number;
    }
  | { readonly do: "cancel" | "replay"; readonly job: number }
  | { readonly do: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("enqueue" as const),
    job: fc.nat(IDS - 1),
    attempts: fc.integer({ min: 1, max: 3 }),
    delayMs: fc.constantFrom(0, 0, 0, 40),
    isNarrow: fc.boolean(),
  }),
  fc.record({ do: fc.constant("claim" as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    do: fc.constantFrom(
      ...(["complete", "complete", "die", "retry", "release", "crash", "heartbeat", "speak-late"] as const),
    ),
    which: fc.nat(20),
  }),
  fc.record({ do: fc.constantFrom("cancel" as const, "replay" as const), job: fc.nat(IDS - 1) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 50) }),
);

/** What is known of a job from the outside. */
interface Known {
  status: "queued" | "running" | "completed" | "dead" | "cancelled";
  attempts: number;
  /** Begun since the last replay. */
  made: number;
  isNarrow: boolean;
  completions: number;
  dueMs: number;
  cancelAsked: boolean;
}

interface Held {
  readonly claim: Claim;
  untilMs: number;
}

/** A model beside the queue: whatever happens in whatever order, no accepted job is lost, none is completed twice, every attempt shows. */
export function queueProperties(
  name: string,
  open: OpenQueue,
  { leaseMs, runs }: { leaseMs: number; runs: number },
): void {
  test(`${name} keeps its promises whatever happens in whatever order`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const under = await open(undefined);
        await new Model(under, leaseMs).play(steps);
        await under.close();
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });
}

class Model {
  readonly #under: QueueUnderTest;
  readonly #queue: Queue;
  readonly #leaseMs: number;
  readonly #known = new Map<string, Known>();
  /** Held, with when the lease ends unless it is lengthened. */
  readonly #held: Held[] = [];
  /** Given up or ended: nothing may come of them any more. */
  readonly #late: Claim[] = [];

  constructor(under: QueueUnderTest, leaseMs: number) {
    this.#under = under;
    this.#queue = under.queue;
    this.#leaseMs = leaseMs;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const each of steps) await this.#step(each);
    await this.#drain();
    for (const [id, known] of this.#known) {
      const job = await this.#queue.find(id);
      assert.ok(job, `${id} is lost`);
      assert.equal(job.status, known.status, id);
      assert.equal(job.attemptsMade, known.made, `attempts of ${id}`);
      assert.ok(known.completions <= 1, `${id} was completed ${known.completions} times`);
      for (const [index, attempt] of job.history.entries()) {
        assert.equal(attempt.number, index + 1, `the attempts of ${id} are counted`);
        assert.notEqual(attempt.endedAtMs, undefined, `attempt ${attempt.number} of ${id} has an end`);
      }
    }
  }

  async #step(given: Step): Promise<void> {
    const queue = this.#queue;
    switch (given.do) {
      case "enqueue": {
        const { attempts, isNarrow } = given;
        const id = `job-${given.job}`;
        const dueMs = this.#under.now() + given.delayMs;
        const limitedBy = isNarrow ? "narrow" : undefined;
        const { isNew } = await queue.enqueue(aJob({ id, attempts, limitedBy, runAtMs: dueMs }));
        assert.equal(isNew, !this.#known.has(id), `${id} is new`);
        if (!isNew) return;
        this.#known.set(id, {
          ...{ status: "queued", attempts, made: 0, isNarrow, completions: 0, dueMs, cancelAsked: false },
        });
        return;
      }
      case "claim":
        await this.#claim(given.count);
        return;
      case "cancel": {
        const id = `job-${given.job}`;
        const known = this.#known.get(id);
        const how = await queue.cancel(id);
        if (known === undefined) assert.equal(how, "missing");
        else if (known.status === "queued") {
          assert.equal(how, "cancelled");
          known.status = "cancelled";
        } else if (known.status === "running") this.#cancelRunning(id, known, how);
        else assert.equal(how, "over");
        return;
      }
      case "replay": {
        const id = `job-${given.job}`;
        const known = this.#known.get(id);
        const how = await queue.replay(id);
        if (known === undefined) assert.equal(how, "missing");
        else if (known.status === "dead" || known.status === "cancelled") {
          assert.equal(how, "queued");
          Object.assign(known, { status: "queued", made: 0, dueMs: 0, cancelAsked: false });
        } else if (how !== "not-dead") {
          // Its lost holder was found out, and the cancellation that was asked for is done.
          assert.ok(known.status === "running" && known.cancelAsked && how === "queued");
          Object.assign(known, { status: "queued", made: 0, dueMs: 0, cancelAsked: false });
        }
        return;
      }
      case "wait":
        await this.#under.pass(given.ms);
        return;
      case "crash": {
        const held = this.#take(given.which);
        if (held === undefined) return;
        this.#late.push(held.claim);
        await this.#under.pass(this.#leaseMs + 1); // with it, whoever else was not heard of in time
        return;
      }
      case "speak-late": {
        const late = this.#late[given.which % Math.max(1, this.#late.length)];
        if (late === undefined) return;
        await this.#speakLate(late);
        return;
      }
      case "complete":
      case "die":
      case "retry":
      case "release":
      case "heartbeat":
        await this.#end(given);
    }
  }

  /** Nothing comes of it, unless nobody has taken the job in the meantime: then the work is done, however late. */
  async #speakLate({ lease }: Claim): Promise<void> {
    const known = this.#known.get(lease.jobId);
    const isTaken = this.#held.some(({ claim }) => claim.job.id === lease.jobId);
    const isTakenIn = await this.#queue.finish(lease, { status: "completed", result: '"late"' });
    if (!isTakenIn) return;
    assert.ok(known?.status === "running" && !isTaken, `${lease.jobId} was ended by a holder who had lost it`);
    known.completions++;
    known.status = "completed";
  }

  async #end(given: { readonly do: string; readonly which: number }): Promise<void> {
    const held = given.do === "heartbeat" ? this.#peek(given.which) : this.#take(given.which);
    if (held === undefined) return;
    const { lease, job } = held.claim;
    const known = this.#known.get(job.id);
    assert.ok(known);
    if (given.do === "heartbeat") {
      const [state] = await this.#queue.heartbeat([lease], this.#leaseMs);
      if (state === "lost") this.#lost(held);
      else {
        assert.equal(state, known.cancelAsked ? "cancel" : "kept");
        held.untilMs = this.#under.now() + this.#leaseMs;
      }
      return;
    }
    let isOurs: boolean;
    if (given.do === "complete") isOurs = await this.#queue.finish(lease, { status: "completed" });
    else if (given.do === "die") isOurs = await this.#queue.finish(lease, { status: "dead", error: "died" });
    else if (given.do === "retry") isOurs = await this.#queue.retry(lease, { atMs: this.#under.now(), error: "x" });
    else isOurs = await this.#queue.release(lease, this.#under.now());
    this.#late.push(held.claim);
    if (!isOurs) {
      assert.ok(this.#under.now() >= held.untilMs, `${job.id} was lost before its lease ended`);
      return;
    }
    if (given.do === "release" && !held.claim.exhausted) known.made--;
    if (given.do === "complete") known.completions++;
    known.status = given.do === "complete" ? "completed" : given.do === "die" ? "dead" : "queued";
    if (known.status === "queued" && known.cancelAsked) known.status = "cancelled";
    known.dueMs = 0;
  }

  async #claim(count: number): Promise<number> {
    const atMs = this.#under.now();
    const { claims } = await this.#queue.claim({ count, leaseMs: this.#leaseMs, limits: LIMITS });
    assert.ok(claims.length <= count);
    for (const claim of claims) {
      const { id } = claim.job;
      const known = this.#known.get(id);
      assert.ok(known, `${id} was accepted`);
      const before = this.#held.find((held) => held.claim.job.id === id);
      if (before !== undefined) {
        assert.ok(this.#under.now() >= before.untilMs, `${id} was taken from its holder before its time`);
        this.#lost(before);
      }
      assert.ok(known.status === "queued" || known.status === "running", `${id} is ${known.status}`);
      assert.equal(known.cancelAsked, false, `${id} was to be cancelled`);
      assert.ok(known.dueMs <= this.#under.now(), `${id} is due`);
      assert.equal(claim.exhausted, known.made >= known.attempts, `${id} has attempts left`);
      if (!claim.exhausted) known.made++;
      assert.equal(claim.job.attemptsMade, known.made, `attempts of ${id}`);
      known.status = "running";
      this.#held.push({ claim, untilMs: atMs + this.#leaseMs });
    }
    const nowMs = this.#under.now();
    const narrow = this.#held.filter(({ claim, untilMs }) => claim.job.limitedBy === "narrow" && nowMs < untilMs);
    assert.ok(narrow.length <= 1, "no more run than the limit says");
    return claims.length;
  }

  /** Ends all that is left. */
  async #drain(): Promise<void> {
    for (let waitedMs = 0; ;) {
      for (const { claim, untilMs } of this.#held.splice(0)) {
        const known = this.#known.get(claim.job.id);
        assert.ok(known);
        if (await this.#queue.finish(claim.lease, { status: "completed" })) {
          known.completions++;
          known.status = "completed";
        } else assert.ok(this.#under.now() >= untilMs);
        this.#late.push(claim);
      }
      const { queued, running } = await this.#queue.stats();
      if (queued + running === 0) break;
      assert.ok(waitedMs < SOON_MS, `${queued} queued and ${running} running jobs were never claimed`);
      if ((await this.#claim(5)) > 0) continue;
      await this.#under.pass(STEP_MS);
      waitedMs += STEP_MS;
    }
    // Whose cancellation had been asked for, and whose holder was lost, is cancelled by the queue itself.
    for (const known of this.#known.values()) {
      if (known.status === "running" && known.cancelAsked) known.status = "cancelled";
    }
  }

  #cancelRunning(id: string, known: Known, how: string): void {
    if (how === "running") {
      known.cancelAsked = true;
      return;
    }
    // Its holder was lost, and the queue knows that already: it may be cancelled at once.
    assert.ok(["cancelled", "over"].includes(how));
    const held = this.#held.find(({ claim }) => claim.job.id === id);
    if (held !== undefined) this.#lost(held);
    known.status = "cancelled";
  }

  #lost(held: Held): void {
    assert.ok(this.#under.now() >= held.untilMs, `${held.claim.job.id} was lost before its lease ended`);
    this.#held.splice(this.#held.indexOf(held), 1);
    this.#late.push(held.claim);
  }

  #peek(which: number): Held | undefined {
    return this.#held[which % Math.max(1, this.#held.length)];
  }

  #take(which: number): Held | undefined {
    const held = this.#peek(which);
    if (held !== undefined) this.#held.splice(this.#held.indexOf(held), 1);
    return held;
  }
}
