import { Worker } from "node:worker_threads";
import type { Clock } from "../../core/clock.ts";
import { WorkerCalls } from "../../store/sqlite/worker-calls.ts";
import type { JobRetention, Queue } from "../queue.ts";
import type { QueueCalls, QueueThreadSettings } from "./queue-calls.ts";

/** The line to the thread speaks of the store's calls; these go the same way. */
type Call = <Name extends keyof QueueCalls>(
  name: Name,
  ...args: Parameters<QueueCalls[Name]>
) => Promise<ReturnType<QueueCalls[Name]>>;

/**
 * The queue in one SQLite file, of which all happens in a thread. One process at a time has it open, so that leases which are
 * found in it are of a process that is gone: their jobs are due at once.
 *
 * @param settings `file` is created where it is missing, its folder is not
 * @throws PlatformError STORE_UNAVAILABLE, as the store
 */
export async function openSqliteQueue(settings: {
  readonly file: string;
  readonly keep: JobRetention;
  readonly clock: Clock;
}): Promise<Queue> {
  const { file, keep, clock } = settings;
  const workerData: QueueThreadSettings = { file, keep, nowMs: clock.now() };
  const worker = new Worker(new URL("./queue-worker.ts", import.meta.url), {
    name: "queue",
    workerData,
    execArgv: [], // as the store's
  });
  const line = new WorkerCalls(worker);
  try {
    await line.opened;
  } catch (refusal) {
    await worker.terminate();
    throw refusal;
  }
  const call = line.call.bind(line) as unknown as Call;
  const listeners: (() => void)[] = [];
  /** Passes on what has happened when it may have left something to claim. */
  async function told<T>(happening: Promise<T>, mayHaveWork: (result: T) => boolean): Promise<T> {
    const result = await happening;
    if (mayHaveWork(result)) for (const listener of listeners) listener();
    return result;
  }

  return {
    enqueue: (job) => told(call("enqueue", job, clock.now()), ({ isNew }) => isNew),
    claim: (wanted) => call("claim", wanted, clock.now()),
    heartbeat: (leases, leaseMs) => call("heartbeat", leases, leaseMs, clock.now()),
    finish: (lease, end, followUp) => told(call("finish", lease, end, followUp, clock.now()), (isOurs) => isOurs),
    retry: (lease, again) => told(call("retry", lease, again, clock.now()), (isOurs) => isOurs),
    release: (lease, atMs) => told(call("release", lease, atMs, clock.now()), (isOurs) => isOurs),
    cancel: (id) => call("cancel", id, clock.now()),
    replay: (id) => told(call("replay", id, clock.now()), (how) => how === "queued"),
    find: (id) => call("find", id),
    list: (query) => call("list", query),
    stats: () => call("stats"),
    countDue: () => call("countDue", clock.now()),
    onWork: (listener) => void listeners.push(listener),
    async close() {
      await call("close");
      worker.ref(); // the answer is the last call's, but the process must see the thread end
      await line.ended;
    },
  };
}
