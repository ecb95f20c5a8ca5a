import type { Clock } from "../core/clock.ts";
import { messageOf, PlatformError } from "../core/errors.ts";
import type { Version } from "../core/program.ts";
import { RELIEF_PERIOD_MS, type Sandbox } from "../sandbox/sandbox.ts";
import { Arrivals } from "./arrivals.ts";
import { GreedyDual } from "./eviction.ts";
import { Worker, type WorkerEvents, type WorkerState } from "./worker.ts";

export interface FleetSettings {
  readonly bases: readonly string[];
  /** Sandboxes that may live at once, of all bases together. */
  readonly maxWorkers: number;
  /** Of printed text a run, and of a returned value. */
  readonly outputLimitBytes: number;
  /** Where callers reach the server, for links. */
  readonly baseUrl: () => string;
}

/** One live worker, for people. */
export interface WorkerReport {
  readonly id: number;
  readonly base: string;
  readonly state: WorkerState;
  /** What it is bound to: `name@number`, or the identity of ad-hoc code. */
  readonly version: string | undefined;
  readonly ageMs: number;
  readonly runs: number;
  readonly memoryBytes: number | undefined;
}

/** One base's share of the fleet. */
interface Squad {
  readonly idle: Worker[];
  readonly arrivals: Arrivals;
  booting: number;
  /** How long the last boot took. */
  bootMs: number;
}

const MAX_BOOTS = 3; // at once: with fewer the cores wait, with more the runs do (bench/ad-hoc.ts, two cores)
const FIRST_BOOT_MS = 50; // until one has been measured
const HEALTH_PERIOD_MS = 10_000;
const PING_WAIT_MS = 2_000;
const TIRED_MEMORY_SHARE = 0.85; // a resting worker that holds this much of its limit is replaced before it fails a run
const IN_USE_MS = 100; // a worker that has just served is in use: no idle one is worth it
/** A warm worker that was used more than once goes for an idle one when it has rested for so many times the time in which one is taken. */
const RESTED_GAPS = 2;
/** One idle worker goes for another one that is taken so many times as often. */
const MORE_WANTED = 4;
const FORGOTTEN_MS = 60_000; // when one is taken this seldom, none is missed where there is no room
const BOOT_LIMIT_MS = 15_000; // hundreds of times what a boot takes: such a worker will never be ready
const BOOT_FAILURE_PAUSE_MS = 1_000;

/** All live workers: boots them ahead of need, keeps their number within the bound, replaces what died. */
export class Fleet {
  readonly #sandbox: Sandbox;
  readonly #settings: FleetSettings;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #events: WorkerEvents;
  readonly #workers = new Set<Worker>();
  readonly #squads: ReadonlyMap<string, Squad>;
  readonly #greedyDual = new GreedyDual();
  readonly #stopChecks: (() => void)[];
  readonly #emptied = Promise.withResolvers<void>();
  /** Boots that have no process yet: they take room all the same. */
  #launching = 0;
  #bootsPausedUntilMs = 0;
  #lastBootFailure: string | undefined;
  #ending = false;

  constructor(
    sandbox: Sandbox,
    settings: FleetSettings,
    clock: Clock,
    log: (line: string) => void,
    events: WorkerEvents,
  ) {
    this.#sandbox = sandbox;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    const nowMs = clock.monotonicMs();
    this.#squads = new Map(
      settings.bases.map((base) => [
        base,
        { idle: [], arrivals: new Arrivals(nowMs), booting: 0, bootMs: FIRST_BOOT_MS },
      ]),
    );
    this.#stopChecks = [
      clock.every(HEALTH_PERIOD_MS, () => void this.#checkHealth()),
      clock.every(RELIEF_PERIOD_MS, () => this.#lookAfterLongWork()),
    ];
  }

  /** What the last boot died of; undefined while boots work. */
  get bootFailure(): string | undefined {
    return this.#lastBootFailure;
  }

  get size(): number {
    return this.#workers.size;
  }

  get busy(): boolean {
    return [...this.#workers].some((worker) => worker.state === "busy");
  }

  /** How many workers want a core now. */
  get working(): number {
    let working = this.#launching;
    for (const { load, state } of this.#workers) if (load > 0 || state === "booting") working++;
    return working;
  }

  /** Boots one idle worker of each base. Rejects with what stopped one. */
  async warmUp(): Promise<void> {
    await Promise.all(
      [...this.#squads].slice(0, this.#settings.maxWorkers).map(async ([base, squad]) => {
        await this.#boot(base, squad);
        if (this.#lastBootFailure === undefined) return;
        throw new PlatformError("SANDBOX_START_FAILED", `a ${base} sandbox does not start: ${this.#lastBootFailure}`);
      }),
    );
  }

  /** An idle worker of a base, which is the caller's to bind; undefined where none is ready. */
  takeIdle(base: string): Worker | undefined {
    const squad = this.#squads.get(base);
    const worker = squad?.idle.shift();
    if (worker !== undefined) squad?.arrivals.taken(this.#clock.monotonicMs());
    return worker;
  }

  /** Notes that a bound worker got a run: versions in use are the last to be given up. */
  used(worker: Worker): void {
    if (worker.version === undefined) return;
    this.#greedyDual.used(worker.version.id, worker.bootMs, this.#sandbox.limits.memoryBytes);
  }

  /**
   * Boots what is missing, and gives up resting workers where there is no room for it.
   *
   * @param waiting base -> runs that wait for a worker of it
   * @returns true when something is missing all the same, so that it is worth looking again soon
   */
  tend(waiting: ReadonlyMap<string, number>): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#ending) return false;
    if (nowMs < this.#bootsPausedUntilMs) return true;
    // Runs that wait come first: an idle worker of one base must not take the room that a run of another one waits for.
    const served = this.#bootMissing((base) => waiting.get(base) ?? 0, true);
    return !(served && this.#bootMissing((_base, squad) => this.#idleTarget(squad, nowMs), false));
  }

  /**
   * @param wanted how many workers of a base should be idle or booting
   * @param needed true when runs wait for them
   * @returns false when some could not be booted yet
   */
  #bootMissing(wanted: (base: string, squad: Squad) => number, needed: boolean): boolean {
    let complete = true;
    for (const [base, squad] of this.#squads) {
      let missing = wanted(base, squad) - squad.booting - squad.idle.length;
      for (; missing > 0; missing--) {
        if (this.#hasRoom() ? !this.#bootOne(base, squad) : !this.#giveUpOne(base, squad, needed, missing)) break;
      }
      complete &&= missing <= 0;
    }
    return complete;
  }

  /** Every worker as it is now. */
  async report(): Promise<WorkerReport[]> {
    const nowMs = this.#clock.monotonicMs();
    return await Promise.all(
      [...this.#workers].map(async (worker) => ({
        id: worker.id,
        base: worker.base,
        state: worker.state,
        version: titleOf(worker.version),
        ageMs: Math.round(nowMs - worker.startedAtMs),
        runs: worker.runsServed,
        memoryBytes: await worker.memoryBytes(),
      })),
    );
  }

  /** Ends every worker, whatever it does; resolves when nothing of them is left. */
  async end(): Promise<void> {
    this.#ending = true;
    for (const stop of this.#stopChecks) stop();
    for (const worker of this.#workers) worker.end({ kind: "retired", why: "the server is stopping" });
    this.#settleEnd();
    await this.#emptied.promise;
  }

  /** As many as are taken while one boots, but never more than the base's share of half the room: the rest is for workers that serve. */
  #idleTarget(squad: Squad, nowMs: number): number {
    if (!this.#hasRoom() && squad.arrivals.gapMs(nowMs) > FORGOTTEN_MS) return 0;
    const share = Math.max(1, Math.floor(this.#settings.maxWorkers / 2 / this.#squads.size));
    return Math.min(share, squad.arrivals.target(nowMs, squad.bootMs));
  }

  /** How many idle workers fewer are there, or coming, than warm ones may be given up for; negative where there are more. */
  #idleShortage(): number {
    let ready = 0;
    for (const squad of this.#squads.values()) ready += squad.idle.length + squad.booting;
    return Math.floor(this.#settings.maxWorkers / 2) - ready;
  }

  #hasRoom(): boolean {
    return this.#workers.size + this.#launching < this.#settings.maxWorkers;
  }

  /** False while as many boots are under way as the machine can bear. */
  #bootOne(base: string, squad: Squad): boolean {
    let booting = 0;
    for (const other of this.#squads.values()) booting += other.booting;
    if (booting < MAX_BOOTS) void this.#boot(base, squad);
    return booting < MAX_BOOTS;
  }

  /**
   * Ends a worker that rests, so that there is room for one of `base`; false where none may go.
   *
   * @param needed true when a run waits for it: then even an idle worker of another base may go
   * @param missing how many are wanted; as many as that may be on their way out
   */
  #giveUpOne(base: string, squad: Squad, needed: boolean, missing: number): boolean {
    const live = [...this.#workers];
    if (live.filter((worker) => worker.state === "ending").length >= missing) return false;
    const nowMs = this.#clock.monotonicMs();
    const gapMs = squad.arrivals.gapMs(nowMs);
    const others = [...this.#squads].flatMap(([other, its]) => (other === base ? [] : its));
    const unwanted = others.find(
      ({ arrivals, idle }) => idle.length > 0 && arrivals.gapMs(nowMs) > gapMs * MORE_WANTED,
    );
    const shortage = this.#idleShortage();
    if (!needed && unwanted === undefined && shortage <= 0) return false;
    const warm = live.flatMap((worker) => {
      const versionId = worker.version?.id;
      const usedOnce = worker.runsServed < 2;
      const leastRestMs = Math.max(IN_USE_MS, usedOnce ? 0 : gapMs * RESTED_GAPS);
      const mayGo = worker.state === "warm" && (needed || worker.restedMs(nowMs) > leastRestMs);
      return mayGo && versionId !== undefined ? [{ worker, versionId, usedOnce }] : [];
    });
    const spare = needed ? others.find(({ idle }) => idle.length > 0)?.idle[0] : undefined;
    const victim =
      (shortage < 0 ? spare : undefined) ?? // where more wait idle than their share, what serves stays
      this.#greedyDual.choose(warm.filter(({ usedOnce }) => usedOnce))?.worker ?? // nobody has come back to it
      unwanted?.idle[0] ??
      this.#greedyDual.choose(warm)?.worker ??
      spare;
    victim?.end({ kind: "retired", why: "another version needs the room" });
    return victim !== undefined;
  }

  /** Resolves when the worker is ready or has failed to become so. */
  async #boot(base: string, squad: Squad): Promise<void> {
    squad.booting++;
    this.#launching++;
    const settled = Promise.withResolvers<void>();
    let booting = true;
    let stopWaiting = (): void => {};
    const over = (): void => {
      stopWaiting();
      if (booting) squad.booting--;
      booting = false;
      settled.resolve();
    };
    try {
      const process = await this.#sandbox.launch(base).finally(() => this.#launching--);
      const { outputLimitBytes, baseUrl } = this.#settings;
      const { memoryBytes: memoryLimitBytes } = this.#sandbox.limits;
      const options = { clock: this.#clock, outputLimitBytes, memoryLimitBytes, baseUrl };
      const worker = new Worker(base, process, options, {
        onReady: () => {
          over();
          this.#lastBootFailure = undefined;
          squad.bootMs = worker.bootMs;
          squad.idle.push(worker);
          this.#events.onReady(worker);
        },
        onOver: (run, runMs) => this.#events.onOver(worker, run, runMs),
        onRetired: (unstarted) => {
          remove(squad.idle, worker);
          this.#events.onRetired(worker, unstarted);
        },
        onGone: (bootFailure) => {
          this.#workers.delete(worker);
          if (bootFailure !== undefined) this.#bootFailed(base, bootFailure);
          over();
          this.#settleEnd();
          this.#events.onGone();
        },
      });
      this.#workers.add(worker);
      stopWaiting = this.#clock.after(BOOT_LIMIT_MS, () => {
        worker.end({ kind: "retired", why: "it did not become ready" });
      });
      if (this.#ending) worker.end({ kind: "retired", why: "the server is stopping" });
    } catch (error) {
      this.#bootFailed(base, messageOf(error));
      over();
      this.#settleEnd();
    }
    await settled.promise;
  }

  #bootFailed(base: string, reason: string): void {
    if (this.#ending) return;
    this.#lastBootFailure = reason;
    this.#bootsPausedUntilMs = this.#clock.monotonicMs() + BOOT_FAILURE_PAUSE_MS;
    this.#log(`a ${base} sandbox did not start: ${reason}`);
  }

  #settleEnd(): void {
    if (this.#ending && this.#workers.size === 0 && this.#launching === 0) this.#emptied.resolve();
  }

  #lookAfterLongWork(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const worker of this.#workers) worker.lookAfterLongWork(nowMs);
  }

  /** Finds workers that no longer answer or hold too much memory; those that died are found by their sockets. */
  async #checkHealth(): Promise<void> {
    const resting = [...this.#workers].filter(({ state }) => state === "idle" || state === "warm");
    await Promise.all(
      resting.map(async (worker) => {
        const answered = await worker.ping(PING_WAIT_MS);
        if (!answered) worker.end({ kind: "retired", why: "it did not answer" });
        const memoryBytes = (await worker.memoryBytes()) ?? 0;
        const tired = memoryBytes > this.#sandbox.limits.memoryBytes * TIRED_MEMORY_SHARE;
        if (tired && worker.load === 0) worker.end({ kind: "retired", why: "it holds too much memory" });
      }),
    );
  }
}

function titleOf(version: Version | undefined): string | undefined {
  const owner = version?.function;
  return owner === undefined ? version?.id : `${owner.name}@${owner.number}`;
}

function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}
