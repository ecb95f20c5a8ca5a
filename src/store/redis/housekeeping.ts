import { systemClock } from "../../core/clock.ts";
import type { Executions } from "./executions.ts";
import type { Functions } from "./functions.ts";
import type { Keyspace } from "./keyspace.ts";
import type { KvRecords } from "./kv.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { cutoffOf } from "./retention-rules.ts";

const PERIOD_MS = 10_000;
const PAUSE_MS = 10; // between two steps, for the calls of others
const STEP_ROWS = 200; // some milliseconds in which Redis does nothing else
const STEP_RULES = 50;
const REMEMBERED_MS = 8 * 86_400_000; // nothing runs for so long that its end could come later

/** What is done behind the calls, by every server: clearing away what was deleted, what is too old, and what servers left that died. */
export class Housekeeping {
  readonly #connection: RedisConnection;
  readonly #keyspace: Keyspace;
  readonly #functions: Functions;
  readonly #executions: Executions;
  readonly #kv: KvRecords;
  readonly #keepExecutions: number;
  #cancel = (): void => {};
  #working: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: {
    connection: RedisConnection;
    keyspace: Keyspace;
    functions: Functions;
    executions: Executions;
    kv: KvRecords;
    keepExecutions: number;
  }) {
    this.#connection = parts.connection;
    this.#keyspace = parts.keyspace;
    this.#functions = parts.functions;
    this.#executions = parts.executions;
    this.#kv = parts.kv;
    this.#keepExecutions = parts.keepExecutions;
    this.#schedule(PERIOD_MS);
  }

  /** There is something to do. */
  wake(): void {
    this.#schedule(PAUSE_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#working;
  }

  /** Nobody sees anything of a deleted function from now on. */
  async hide(functionId: string): Promise<void> {
    await this.#run("mark-deleted", functionId, systemClock.now());
    await this.#kv.clear(functionId);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    this.#cancel();
    this.#cancel = systemClock.after(delayMs, () => {
      this.#working ??= this.#work()
        .catch(() => {}) // the store is not there, as the next call will tell its caller; the next period tries again
        .finally(() => {
          this.#working = undefined;
        });
      this.#schedule(PERIOD_MS);
    });
  }

  async #work(): Promise<void> {
    const deleted = `${this.#keyspace.meta}:deleted`;
    for (const functionId of (await this.#connection.command("ZRANGE", deleted, 0, -1)) as string[]) {
      await this.hide(functionId);
      if (!(await this.#repeat(() => this.#run("clear-function", functionId, STEP_ROWS)))) return;
      await this.#connection.command("ZREM", deleted, functionId);
    }
    const rules = [...(await this.#functions.rules())];
    const nowMs = systemClock.now();
    for (let at = 0; at === 0 || at < rules.length; at += STEP_RULES) {
      const some = rules.slice(at, at + STEP_RULES).flatMap(([id, rule]) => [id, cutoffOf(rule, nowMs)]);
      const before = nowMs - REMEMBERED_MS;
      const sweep = () => this.#run("sweep-executions", this.#keepExecutions, STEP_ROWS, before, ...some);
      if (!(await this.#repeat(sweep))) return;
    }
    await this.#executions.endInterrupted("interrupted: the server that ran it is gone", false);
  }

  /** Until a step finds nothing to do; false where it was stopped before. */
  async #repeat(step: () => Promise<number>): Promise<boolean> {
    while (!this.#isStopped) {
      if ((await step()) === 0) return true;
      await new Promise<void>((resolve) => void systemClock.after(PAUSE_MS, resolve));
    }
    return false;
  }

  async #run(
    name: "mark-deleted" | "clear-function" | "sweep-executions",
    ...args: readonly (string | number)[]
  ): Promise<number> {
    return Number(await this.#connection.run(name, this.#keyspace.executions, args));
  }
}
