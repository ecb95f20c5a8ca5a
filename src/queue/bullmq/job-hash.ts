// A job as Redis has it: BullMQ's hash, with our fields in it.
import { parseHistory, withEnd } from "../job-history.ts";
import { type Job, type JobAttempt, type JobStatus, type JobSummary, LEASE_LOST, type NewJob } from "../queue.ts";

export type Hash = Readonly<Record<string, string>>;

/** What a job was added with, in BullMQ's field `data`. */
export type StoredJob = Omit<NewJob, "once" | "id"> & { readonly createdAtMs: number };

/** How it ended. It counts from the moment it is written, whatever BullMQ knows of it yet. */
export interface StoredEnd {
  readonly status: "completed" | "dead" | "cancelled";
  readonly result?: string | undefined;
  readonly error?: string | undefined;
  readonly finishedAtMs: number;
  readonly followUp?: NewJob | undefined;
}

/** What whoever holds a job has to know of it to end its lease: nobody else changes any of it meanwhile. */
export interface Held {
  readonly history: readonly JobAttempt[];
  readonly limitedBy: string | undefined;
  /** It may have one among those that have its limit. */
  readonly hasPlace: boolean;
}

export function heldOf(hash: Hash): Held {
  const { limitedBy } = storedJob(hash);
  return { history: historyOf(hash), limitedBy, hasPlace: hash["x:place"] !== undefined };
}

export function storedJob(hash: Hash): StoredJob {
  return JSON.parse(hash["data"] ?? "{}") as StoredJob;
}

/** From names and values in turn, as a script answers. */
export function fromFlat(flat: readonly string[]): Hash {
  const hash: Record<string, string> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) hash[flat[at] ?? ""] = flat[at + 1] ?? "";
  return hash;
}

export function endOf(hash: Hash): StoredEnd | undefined {
  const text = hash["x:end"];
  return text === undefined ? undefined : (JSON.parse(text) as StoredEnd);
}

export function historyOf(hash: Hash): JobAttempt[] {
  return parseHistory(hash["x:history"] ?? "[]");
}

/** Attempts begun: BullMQ counts its claims, of which some were given back. */
export function begunOf(hash: Hash): number {
  return number(hash, "ats") - number(hash, "x:released");
}

export function madeOf(hash: Hash): number {
  return begunOf(hash) - number(hash, "x:base");
}

/**
 * Of a job that has just been claimed: a claim before whose answer was lost, or that died before it was written down, was never begun
 * and takes none of its attempts.
 */
export function withoutUnbegun(hash: Hash): Hash {
  const unbegun = begunOf(hash) - 1 - (historyOf(hash).at(-1)?.number ?? 0);
  return unbegun > 0 ? { ...hash, "x:released": String(number(hash, "x:released") + unbegun) } : hash;
}

/** The field that says that its last claim was given back. */
export function releasedOnce(hash: Hash): { readonly "x:released": string } {
  return { "x:released": String(number(hash, "x:released") + 1) };
}

/** @param isRunning somebody holds its lock, or has held it and was not missed yet */
export function statusOf(hash: Hash, isRunning: boolean, isLocked: boolean): JobStatus {
  const end = endOf(hash);
  if (end !== undefined) return end.status;
  if (hash["x:cancel"] !== undefined && !isLocked) return "cancelled";
  if (hash["finishedOn"] !== undefined) return "dead";
  return isRunning ? "running" : "queued";
}

export function toSummary(id: string, hash: Hash, status: JobStatus): JobSummary {
  const { kind, functionId, priority, attempts, createdAtMs, runAtMs } = storedJob(hash);
  const end = endOf(hash);
  const cancelledAtMs = status === "cancelled" ? Number(hash["x:cancel"]) : undefined;
  return {
    ...{ id, kind, functionId, status, priority, attempts, createdAtMs },
    attemptsMade: madeOf(hash),
    runAtMs: hash["x:runAt"] === undefined ? runAtMs : Number(hash["x:runAt"]),
    finishedAtMs: end?.finishedAtMs ?? cancelledAtMs,
    error: end === undefined ? hash["x:error"] : end.error,
  };
}

export function toJob(id: string, hash: Hash, status: JobStatus): Job {
  const { limitedBy, payload } = storedJob(hash);
  const history = historyOf(hash);
  return {
    ...toSummary(id, hash, status),
    ...{ limitedBy, payload, result: endOf(hash)?.result },
    // What is over has ended, whether its holder said so or not.
    history: status === "cancelled" ? withEnd(history, Number(hash["x:cancel"] ?? 0), LEASE_LOST) : history,
  };
}

function number(hash: Hash, field: string): number {
  return Number(hash[field] ?? 0);
}
