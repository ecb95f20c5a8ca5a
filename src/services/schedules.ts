// Schedules. The next fire of each is a job that waits in the queue under an id which every node would give it, so that any number
// of nodes may add it and one runs it; whoever runs it adds the one after.
import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import type { Schedule } from "../core/function.ts";
import { newId } from "../core/id.ts";
import { type Claim, type Job, type JobSummary, LEASE_LOST, type NewJob, type Queue } from "../queue/queue.ts";
import type { Catalog, StoredFunction } from "./catalog.ts";
import { fireTimes, nextFires } from "./fire-times.ts";
import type { Fire, InvocationPayload } from "./job-payload.ts";
import type { Verdict } from "./job-runner.ts";

/** A fire that comes this late was missed: until then the server was only busy, or started again. */
const GRACE_MS = 60_000;
const MAX_CAUGHT_UP = 100;
const LOOK_AGAIN_MS = 1_000; // whether the run is over that a fire must wait for
const SHOWN_FIRES = 5;
const PAGE = 200;
const MAX_PAGES = 20;

export interface SchedulesDeps {
  readonly queue: Queue;
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Ends a job wherever it is. */
  readonly cancel: (jobId: string) => Promise<void>;
}

export class Schedules {
  readonly #deps: SchedulesDeps;

  constructor(deps: SchedulesDeps) {
    this.#deps = deps;
  }

  /** Sees to it that the next fire of every function is in the queue. */
  async ensureAll(): Promise<void> {
    for (const id of this.#deps.catalog.scheduled) {
      const stored = this.#deps.catalog.function(id);
      if (stored !== undefined) await this.ensure(stored);
    }
  }

  /** The same for one function, which may have changed. */
  async ensure({ id, settings: { schedule, retry } }: StoredFunction, afterMs = this.#deps.clock.now()): Promise<void> {
    if (schedule === undefined || schedule.paused) return;
    const next = await fireTimes(schedule);
    const atMs = next(afterMs);
    if (atMs === undefined) return;
    await this.#deps.queue.enqueue(fireJob(id, { key: keyOf(schedule), atMs, isCatchUp: false }, atMs, retry.attempts));
  }

  /** When it fires next, Unix milliseconds; none while it is paused. */
  async next({ settings: { schedule } }: StoredFunction): Promise<number[]> {
    if (schedule === undefined || schedule.paused) return [];
    return nextFires(await fireTimes(schedule), this.#deps.clock.now(), SHOWN_FIRES);
  }

  /**
   * Runs it now, whatever the time, paused or not.
   *
   * @returns the job's id
   * @throws PlatformError NOT_FOUND where it has no schedule
   */
  async runNow({ id, name, settings: { schedule, retry } }: StoredFunction): Promise<string> {
    if (schedule === undefined) throw noSchedule(name);
    const nowMs = this.#deps.clock.now();
    const input = { kind: "value", json: inputOf(schedule, nowMs) } as const;
    const jobId = newId();
    await this.#deps.queue.enqueue({
      ...{ id: jobId, kind: "cron", functionId: id, limitedBy: id, priority: 0, attempts: retry.attempts },
      ...{ payload: JSON.stringify({ input } satisfies InvocationPayload), runAtMs: nowMs },
    });
    return jobId;
  }

  /** A fire was cancelled while it waited: the one after it must not be lost with it. */
  async afterCancel(job: Job): Promise<void> {
    const { fire } = JSON.parse(job.payload) as InvocationPayload;
    const stored = job.functionId === undefined ? undefined : this.#deps.catalog.function(job.functionId);
    if (fire === undefined || stored === undefined) return;
    await this.ensure(stored, Math.max(fire.atMs, this.#deps.clock.now()));
  }

  /**
   * What is to be done with a fire that is due.
   *
   * @returns the input that it runs with, or what becomes of it instead
   */
  async admit({ job, lease }: Claim, fire: Fire): Promise<{ readonly input: string } | Verdict> {
    const { catalog, clock } = this.#deps;
    const functionId = job.functionId ?? "";
    let schedule = catalog.function(functionId)?.settings.schedule;
    if (schedule === undefined || keyOf(schedule) !== fire.key || schedule.paused) {
      // Another node may have changed it, and this one not have heard of it yet.
      schedule = (await catalog.refresh(functionId))?.settings.schedule;
      if (schedule === undefined) return leftOut("the function has no schedule any more");
      if (keyOf(schedule) !== fire.key) return leftOut("the schedule was changed");
      if (schedule.paused) return leftOut("the schedule is paused");
    }
    const admitted = { input: inputOf(schedule, fire.atMs) };
    if (fire.isCatchUp) {
      return schedule.overlap === "allow" || (await this.#isFirst(job))
        ? admitted
        : { kind: "release", atMs: clock.now() + LOOK_AGAIN_MS };
    }
    const stored = catalog.function(functionId);
    if (stored !== undefined) await this.ensure(stored, Math.max(clock.now(), fire.atMs));
    if (lease.attempt > 1) {
      // It has been decided on; but whoever did may have died before the fires between were in the queue.
      const isOfLost = job.history.at(-2)?.error === LEASE_LOST;
      if (isOfLost && schedule.missed === "all") await this.#catchUp(job, schedule, fire);
      return admitted;
    }
    const isLate = clock.now() - fire.atMs > GRACE_MS;
    if (isLate && schedule.missed === "skip") return leftOut("missed: the server was not there in time");
    const overlapping = await this.#overlapping(job, schedule);
    if (schedule.missed === "all") await this.#catchUp(job, schedule, fire);
    return overlapping ?? admitted;
  }

  /** Adds the fires between this one, which is late, and now. */
  async #catchUp(job: Job, schedule: Schedule, fire: Fire): Promise<void> {
    const { queue, clock } = this.#deps;
    const nowMs = clock.now();
    const next = await fireTimes(schedule);
    const missed: NewJob[] = [];
    for (
      let at = next(fire.atMs);
      at !== undefined && at <= nowMs && missed.length < MAX_CAUGHT_UP - 1;
      at = next(at)
    ) {
      missed.push(fireJob(job.functionId ?? "", { ...fire, atMs: at, isCatchUp: true }, nowMs, job.attempts));
    }
    await Promise.all(missed.map((each) => queue.enqueue(each)));
  }

  async #overlapping(job: Job, { overlap }: Schedule): Promise<Verdict | undefined> {
    if (overlap === "allow") return undefined;
    const others = await this.#othersOf(job);
    const [other] = others;
    if (other === undefined) return undefined;
    if (overlap === "forbid") return leftOut(`the run before goes on (job ${other.id})`);
    for (const { id } of others) await this.#deps.cancel(id);
    return undefined;
  }

  /** False while another run goes on; of fires that are caught up with, only the first does not wait for the others. */
  async #isFirst(job: Job): Promise<boolean> {
    const others = await Promise.all((await this.#othersOf(job)).map(({ id }) => this.#deps.queue.find(id)));
    return others.every((other) => other === undefined || (isCatchUp(other) && other.id > job.id));
  }

  /** Runs of the same schedule that have begun and are not over, those that wait for another attempt included. */
  async #othersOf({ id, functionId }: Job): Promise<JobSummary[]> {
    const others: JobSummary[] = [];
    for (const status of ["running", "queued"] as const) {
      let cursor: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const found = await this.#deps.queue.list({ functionId, kind: "cron", status, limit: PAGE, cursor });
        others.push(...found.items.filter((other) => other.id !== id && other.attemptsMade > 0));
        ({ cursor } = found);
        if (cursor === undefined) break;
      }
    }
    return others;
  }
}

export function noSchedule(name: string): PlatformError {
  return new PlatformError("NOT_FOUND", `function "${name}" has no schedule`);
}

/** Their ids are in the order of their times. */
function isCatchUp({ payload }: Job): boolean {
  return (JSON.parse(payload) as InvocationPayload).fire?.isCatchUp === true;
}

function keyOf({ cron, timeZone }: Schedule): string {
  return `${cron} ${timeZone}`;
}

function inputOf({ input }: Schedule, atMs: number): string {
  return input ?? JSON.stringify({ scheduledAt: new Date(atMs).toISOString() });
}

/** The same on every node. */
function fireJob(functionId: string, fire: Fire, runAtMs: number, attempts: number): NewJob {
  const payload: InvocationPayload = { input: { kind: "value", json: "{}" }, fire };
  return {
    id: `cron:${functionId}:${fire.atMs}`,
    ...{ kind: "cron", functionId, limitedBy: functionId, payload: JSON.stringify(payload) },
    ...{ priority: 0, attempts, runAtMs },
  };
}

function leftOut(why: string): Verdict {
  return { kind: "end", end: { status: "cancelled", error: why } };
}
