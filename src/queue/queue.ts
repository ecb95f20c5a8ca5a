/**
 * Work that is kept for later: durable once it is accepted, handed to one runner at a time, and handed out again where that
 * runner dies. Knows nothing of functions; what a job means is its payload's.
 */
export interface Queue {
  /**
   * Resolves when the job is durable.
   *
   * @returns `isNew` is false where a job of this id is known already, or one with the same unexpired `once.key`; then nothing was
   *   added, and `jobId` and `fingerprint` are those of the first
   */
  enqueue(job: NewJob): Promise<Enqueued>;

  /**
   * Leases up to `count` jobs that are due: higher priorities first, then older ones. What is claimed runs at least once; a lease
   * that ends without a word from its holder makes the job due again, and that counts as an attempt.
   */
  claim(wanted: ClaimRequest): Promise<Claims>;

  /** Lengthens leases to `leaseMs` from now. Answers in the order of `leases`. */
  heartbeat(leases: readonly Lease[], leaseMs: number): Promise<LeaseState[]>;

  // What ends a lease. Each is false, and changes nothing, where the lease is lost: somebody else may have the job now. One that is over,
  // but whose job nobody has taken yet, may still be taken at its holder's word.

  /** The job is over. `followUp` is enqueued with it: both are kept or neither. */
  finish(lease: Lease, end: JobEnd, followUp?: NewJob): Promise<boolean>;

  /** The attempt failed; the job is due again at `atMs`. */
  retry(lease: Lease, again: { readonly atMs: number; readonly error: string }): Promise<boolean>;

  /** The attempt did not happen; the job is due again at `atMs`, with as many attempts left as before. */
  release(lease: Lease, atMs: number): Promise<boolean>;

  /** A queued job is cancelled at once; of a running one its holder is told with its next heartbeat. */
  cancel(id: string): Promise<"cancelled" | "running" | "over" | "missing">;

  /** A dead or cancelled job is due at once, with all of its attempts before it again. */
  replay(id: string): Promise<"queued" | "not-dead" | "missing">;

  find(id: string): Promise<Job | undefined>;

  /** The newest first. A page may be short, or empty, and still have a cursor. */
  list(query: JobQuery): Promise<JobPage>;

  /** How many jobs there are in each state. */
  stats(): Promise<JobCounts>;

  /** How many jobs wait for nothing but a holder: those of `queued` whose time has come. */
  countDue(): Promise<number>;

  /** Calls `listener` whenever there may be something to claim that no `nextDueMs` has told of, from whichever node it came. */
  onWork(listener: () => void): void;

  close(): Promise<void>;
}

export const JOB_STATUSES = ["queued", "running", "completed", "dead", "cancelled"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];
export type JobCounts = Readonly<Record<JobStatus, number>>;

export const LEAST_PRIORITY = -10;
export const MOST_PRIORITY = 10;

export interface NewJob {
  /** Up to 200 of `A-Z a-z 0-9 . _ -`, or three such parts with colons between; no number. */
  readonly id: string;
  /** What kind of work it is, for lists. */
  readonly kind: string;
  readonly functionId: string | undefined;
  /** Jobs that have the same share the limit of that name in `ClaimRequest.limits`. */
  readonly limitedBy: string | undefined;
  /** JSON text. */
  readonly payload: string;
  /** From `LEAST_PRIORITY` to `MOST_PRIORITY`; higher ones first. */
  readonly priority: number;
  /** How often it may be begun. */
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly runAtMs: number;
  readonly once?: OnceKey | undefined;
}

/** Keeps a second job from being added, whatever its id. */
export interface OnceKey {
  readonly key: string;
  /** Of what was asked, so that another request under the same key is recognised. */
  readonly fingerprint: string;
  readonly forMs: number;
}

export interface Enqueued {
  readonly isNew: boolean;
  readonly jobId: string;
  /** Of the `once` that the first job came with; undefined where it had none. */
  readonly fingerprint: string | undefined;
}

export interface ClaimRequest {
  readonly count: number;
  readonly leaseMs: number;
  /** How many jobs may run at once that have this `limitedBy`; others run in any number. */
  readonly limits: ReadonlyMap<string, number>;
}

export interface Claims {
  readonly claims: readonly Claim[];
  /** When, at the latest, another claim may find something, in Unix milliseconds; undefined: not before `onWork`, or an end of yours. */
  readonly nextDueMs: number | undefined;
}

export interface Claim {
  readonly job: Job;
  readonly lease: Lease;
  /** True where its last attempt was lost with its holder: it must not be begun again, only ended. */
  readonly exhausted: boolean;
}

/** The right to run a job. */
export interface Lease {
  readonly jobId: string;
  /** Counts the attempts from 1. */
  readonly attempt: number;
  /** Different in each claim: whoever comes with an older one is refused. */
  readonly fence: string;
}

export type LeaseState = "kept" | "cancel" | "lost";

export interface JobEnd {
  readonly status: "completed" | "dead" | "cancelled";
  /** JSON text. */
  readonly result?: string | undefined;
  readonly error?: string | undefined;
}

export interface JobAttempt {
  /** Counted from 1 over the job's whole life. */
  readonly number: number;
  /** Of the execution that ran it: the queue gives it with the claim. */
  readonly executionId: string;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  /** Why it failed; undefined where it did not, or has not ended. */
  readonly error: string | undefined;
}

export interface JobSummary {
  readonly id: string;
  readonly kind: string;
  readonly functionId: string | undefined;
  readonly status: JobStatus;
  readonly priority: number;
  /** How often it may be begun, since it was enqueued or replayed. */
  readonly attempts: number;
  /** How often it was begun since then. */
  readonly attemptsMade: number;
  /** Unix milliseconds. */
  readonly createdAtMs: number;
  /** When it is or was due. */
  readonly runAtMs: number;
  readonly finishedAtMs: number | undefined;
  /** Of its last attempt, or why it is over. */
  readonly error: string | undefined;
}

export interface Job extends JobSummary {
  readonly limitedBy: string | undefined;
  readonly payload: string;
  readonly history: readonly JobAttempt[];
  /** JSON text. */
  readonly result: string | undefined;
}

export interface JobQuery {
  readonly functionId?: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly kind?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface JobPage {
  readonly items: JobSummary[];
  readonly cursor: string | undefined;
}

/** How long jobs that are over are kept, by what comes first. */
export interface JobRetention {
  readonly completed: { readonly count: number; readonly ageMs: number };
  /** Of dead and of cancelled ones. */
  readonly dead: { readonly count: number; readonly ageMs: number };
}

/** What an attempt is told to have failed of when its holder was never heard of again. */
export const LEASE_LOST = "the server that ran it was lost";
