import type {
  Claims,
  ClaimRequest,
  Enqueued,
  Job,
  JobCounts,
  JobEnd,
  JobPage,
  JobQuery,
  JobRetention,
  Lease,
  LeaseState,
  NewJob,
  Queue,
} from "../queue.ts";

/** What the queue's thread is started with. */
export interface QueueThreadSettings {
  readonly file: string;
  readonly keep: JobRetention;
  readonly nowMs: number;
}

/** What the main thread asks of the queue's thread. The time is always the main thread's. After `close` the thread ends. */
export interface QueueCalls {
  enqueue(job: NewJob, nowMs: number): Enqueued;
  claim(wanted: ClaimRequest, nowMs: number): Claims;
  heartbeat(leases: readonly Lease[], leaseMs: number, nowMs: number): LeaseState[];
  finish(lease: Lease, end: JobEnd, followUp: NewJob | undefined, nowMs: number): boolean;
  retry(lease: Lease, again: { readonly atMs: number; readonly error: string }, nowMs: number): boolean;
  release(lease: Lease, atMs: number, nowMs: number): boolean;
  cancel(id: string, nowMs: number): Awaited<ReturnType<Queue["cancel"]>>;
  replay(id: string, nowMs: number): Awaited<ReturnType<Queue["replay"]>>;
  find(id: string): Job | undefined;
  list(query: JobQuery): JobPage;
  stats(): JobCounts;
  countDue(nowMs: number): number;
  close(): void;
}

/** What its caller is promised to be on the disk: it waits for a sync. A run that is forgotten in a power cut only runs again. */
export const DURABLE: ReadonlySet<string> = new Set<keyof QueueCalls>(["enqueue", "finish", "cancel", "replay"]);
