// A load of jobs and what became of them. The client is as clients should be: it sends a job under a key of its own, and again under
// the same one until it is answered 202; what it was told then is what must not be lost.
import { setTimeout as delay } from "node:timers/promises";
import { deploy, countsOf, read, readAll } from "./requests.ts";
import { soon } from "./soon.ts";

/** It counts its own runs by what it is asked, in a place that the queue knows nothing of. */
const CODE = `
  import { kv } from "cloche";
  export const handler = async ({ n, ms }) => {
    const runs = await kv.incr("run:" + n);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return { n, runs };
  };
`;
const SUBMITTERS = 3;
const PAUSE_MS = 350;
const LONGEST_RUN_MS = 500;
const SUBMIT_TIMEOUT_MS = 10_000;
const TIMES_MS = 180_000;

export interface Ledger {
  /** Jobs that were answered 202. */
  readonly accepted: number;
  readonly completed: number;
  /** Accepted ones that did not complete, with the reason. */
  readonly lost: readonly string[];
  /** What ran more often than its history shows, and jobs that nobody was told of. */
  readonly doubled: readonly string[];
  /** Accepted ones that took more than one attempt, all of which their histories show. */
  readonly repeated: number;
  /** Answers other than 202, and none. */
  readonly refusals: Readonly<Record<string, number>>;
}

interface JobBody {
  readonly status: string;
  readonly result?: { readonly n: number };
  readonly error?: string;
  readonly history: readonly { readonly error?: string }[];
}

export class JobLoad {
  readonly #url: string;
  readonly #name: string;
  readonly #accepted = new Map<number, string>();
  readonly #over = new Set<string>();
  readonly #refusals = new Map<string, number>();
  #submitters: Promise<void>[] = [];
  #isStopping = false;
  #isAbandoned = false;
  #next = 0;

  /** Deploys the function that the jobs are for. */
  static async start(url: string, name = "work"): Promise<JobLoad> {
    const body = {
      ...{ name, language: "javascript", code: CODE },
      retry: { attempts: 20, backoffMs: 200, maxBackoffMs: 2_000 },
    };
    await deploy(url, body);
    const load = new JobLoad(url, name);
    load.resume();
    return load;
  }

  private constructor(url: string, name: string) {
    this.#url = url;
    this.#name = name;
  }

  get acceptedCount(): number {
    return this.#accepted.size;
  }

  resume(): void {
    this.#isStopping = false;
    this.#submitters = Array.from({ length: SUBMITTERS }, () => this.#submit());
  }

  /** Resolves when everything that was sent has been answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#submitters);
  }

  /** Sends nothing any more, whatever was answered. */
  abandon(): void {
    this.#isStopping = true;
    this.#isAbandoned = true;
  }

  /** Resolves when `more` jobs have been accepted from now on. */
  async accepts(more: number): Promise<void> {
    const goal = this.#accepted.size + more;
    await soon(`${more} more jobs are accepted`, async () => this.#accepted.size >= goal || undefined, TIMES_MS);
  }

  /** Resolves when every job that has been accepted by now is over, or could not be found. */
  async settled(): Promise<void> {
    const waiting = [...this.#accepted.values()].filter((id) => !this.#over.has(id));
    for (const id of waiting) {
      await soon(
        `job ${id} is over`,
        async () => {
          const { status } = await read(this.#url, `/api/jobs/${id}`, 404);
          return status === "queued" || status === "running" ? undefined : true;
        },
        TIMES_MS,
      );
      this.#over.add(id);
    }
  }

  /** What became of all that was accepted. Stop and settle it before. */
  async ledger(): Promise<Ledger> {
    const runs = await this.#runs();
    const lost: string[] = [];
    const doubled: string[] = [];
    let repeated = 0;
    for (const [n, id] of this.#accepted) {
      const job = (await read(this.#url, `/api/jobs/${id}`, 404)) as unknown as JobBody;
      if (job.status !== "completed" || job.result?.n !== n) {
        lost.push(`job ${id} (${n}): ${job.status ?? "not found"}, ${job.error ?? "no error"}`);
        continue;
      }
      const ran = runs.get(n) ?? 0;
      if (ran > job.history.length) doubled.push(`job ${id} ran ${ran} times and shows ${job.history.length}`);
      if (ran === 0) lost.push(`job ${id} is completed and never ran`);
      if (job.history.filter(({ error }) => error === undefined).length > 1) {
        doubled.push(`job ${id} shows two attempts that succeeded`);
      }
      if (job.history.length > 1) repeated++;
    }
    const known = new Set(this.#accepted.values());
    const listed = await readAll<{ readonly id: string }>(this.#url, `/api/jobs?function=${this.#name}`);
    for (const { id } of listed) if (!known.has(id)) doubled.push(`job ${id} was never told to anybody`);
    return {
      accepted: this.#accepted.size,
      completed: this.#accepted.size - lost.length,
      ...{ lost, doubled, repeated },
      refusals: Object.fromEntries(this.#refusals),
    };
  }

  async #submit(): Promise<void> {
    while (!this.#isStopping) {
      const n = this.#next++;
      await this.#submitOne(n);
      await delay(PAUSE_MS);
    }
  }

  async #submitOne(n: number): Promise<void> {
    const body = JSON.stringify({ input: { n, ms: Math.floor(Math.random() * LONGEST_RUN_MS) } });
    while (!this.#isAbandoned) {
      try {
        const response = await fetch(`${this.#url}/api/functions/${this.#name}/invocations`, {
          ...{ method: "POST", body, signal: AbortSignal.timeout(SUBMIT_TIMEOUT_MS) },
          headers: {
            prefer: "respond-async",
            "idempotency-key": `${this.#name}-${n}`,
            "content-type": "application/json",
          },
        });
        const answer = (await response.json().catch(() => ({}))) as { readonly jobId?: string };
        if (response.status === 202 && answer.jobId !== undefined) {
          this.#accepted.set(n, answer.jobId);
          return;
        }
        this.#refused(String(response.status));
      } catch (error) {
        this.#refused((error as Error).name);
      }
      await delay(200);
    }
  }

  #refused(why: string): void {
    this.#refusals.set(why, (this.#refusals.get(why) ?? 0) + 1);
  }

  /** How often each was run, by the code's own count. */
  async #runs(): Promise<Map<number, number>> {
    const entries = await countsOf(this.#url, this.#name, "run:");
    return new Map(entries.map(({ key, value }) => [Number(key.slice("run:".length)), value]));
  }
}
