import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { newId } from "../../core/id.ts";
import { decodeCursor, pageOf, wholeLimit } from "../../core/cursor.ts";
import { parseHistory, withEnd } from "../job-history.ts";
import { JOB_STATUSES, LEASE_LOST } from "../queue.ts";
import type {
  Claim,
  ClaimRequest,
  Claims,
  Enqueued,
  Job,
  JobCounts,
  JobEnd,
  JobPage,
  JobQuery,
  Lease,
  LeaseState,
  NewJob,
} from "../queue.ts";
import { type JobRow, type JobTexts, toJob, toSummary } from "./job-rows.ts";

/** The jobs of one file, on the thread that owns it. Each method wants to be within a transaction. */
export class JobsTable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  enqueue(job: NewJob, nowMs: number): Enqueued {
    const { once } = job;
    if (once !== undefined) {
      const first = this.#row("SELECT job_id, fingerprint FROM once_keys WHERE key = ? AND expires_at_ms > ?", [
        once.key,
        nowMs,
      ]) as { job_id: string; fingerprint: string } | undefined;
      if (first !== undefined) return { isNew: false, jobId: first.job_id, fingerprint: first.fingerprint };
    }
    const added = this.#row(
      `INSERT INTO jobs (id, kind, function_id, limited_by, priority, attempts, status, ready, run_at_ms, created_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING sequence`,
      [
        ...[job.id, job.kind, job.functionId ?? null, job.limitedBy ?? null, job.priority, job.attempts],
        ...[job.runAtMs <= nowMs ? 1 : 0, job.runAtMs, nowMs],
      ],
    ) as { sequence: number } | undefined;
    if (added === undefined) return { isNew: false, jobId: job.id, fingerprint: undefined };
    this.#run("INSERT INTO job_texts (sequence, payload) VALUES (?, ?)", [added.sequence, job.payload]);
    if (once !== undefined) {
      this.#run("INSERT OR REPLACE INTO once_keys VALUES (?, ?, ?, ?)", [
        ...[once.key, job.id, once.fingerprint, nowMs + once.forMs],
      ]);
    }
    return { isNew: true, jobId: job.id, fingerprint: once?.fingerprint };
  }

  claim({ count, leaseMs, limits }: ClaimRequest, nowMs: number): Claims {
    this.#takeBackExpired(nowMs);
    this.#run("UPDATE jobs SET ready = 1 WHERE status = 'queued' AND ready = 0 AND run_at_ms <= ?", [nowMs]);
    const room = this.#roomOf(limits);
    const claims: Claim[] = [];
    while (claims.length < count) {
      const full = JSON.stringify([...room].filter(([, left]) => left <= 0).map(([name]) => name));
      const next = this.#row(
        `SELECT sequence FROM jobs WHERE status = 'queued' AND ready = 1
           AND (limited_by IS NULL OR limited_by NOT IN (SELECT value FROM json_each(?)))
         ORDER BY priority DESC, sequence LIMIT 1`,
        [full],
      ) as { sequence: number } | undefined;
      if (next === undefined) break;
      const claim = this.#lease(next.sequence, leaseMs, nowMs);
      claims.push(claim);
      const { limitedBy } = claim.job;
      const left = limitedBy === undefined ? undefined : room.get(limitedBy);
      if (limitedBy !== undefined && left !== undefined) room.set(limitedBy, left - 1);
    }
    return { claims, nextDueMs: this.#nextDueMs() };
  }

  heartbeat(leases: readonly Lease[], leaseMs: number, nowMs: number): LeaseState[] {
    return leases.map((lease) => {
      const row = this.#leased(lease);
      if (row === undefined) return "lost";
      this.#run("UPDATE jobs SET lease_until_ms = ? WHERE sequence = ?", [nowMs + leaseMs, row.sequence]);
      return row.cancel_requested === 1 ? "cancel" : "kept";
    });
  }

  finish(lease: Lease, end: JobEnd, followUp: NewJob | undefined, nowMs: number): boolean {
    const row = this.#leased(lease);
    if (row === undefined) return false;
    const attemptError = end.status === "completed" ? undefined : end.error;
    this.#end(row, end, JSON.stringify(withEnd(parseHistory(row.history), nowMs, attemptError)), nowMs);
    if (followUp !== undefined) this.enqueue(followUp, nowMs);
    return true;
  }

  retry(lease: Lease, again: { readonly atMs: number; readonly error: string }, nowMs: number): boolean {
    const row = this.#leased(lease);
    if (row === undefined) return false;
    this.#requeue(
      row,
      again.atMs,
      JSON.stringify(withEnd(parseHistory(row.history), nowMs, again.error)),
      again.error,
      nowMs,
    );
    return true;
  }

  release(lease: Lease, atMs: number, nowMs: number): boolean {
    const row = this.#leased(lease);
    if (row === undefined) return false;
    const history = parseHistory(row.history);
    const isBegun = history.at(-1)?.endedAtMs === undefined; // else it was claimed only to be ended
    this.#requeue(row, atMs, JSON.stringify(isBegun ? history.slice(0, -1) : history), row.error, nowMs);
    if (isBegun) this.#run("UPDATE jobs SET attempt = attempt - 1 WHERE sequence = ?", [row.sequence]);
    return true;
  }

  cancel(id: string, nowMs: number): "cancelled" | "running" | "over" | "missing" {
    const row = this.#find(id);
    if (row === undefined) return "missing";
    if (row.finished_at_ms !== null) return "over";
    if (row.status === "running") {
      this.#run("UPDATE jobs SET cancel_requested = 1 WHERE sequence = ?", [row.sequence]);
      return "running";
    }
    this.#end(row, { status: "cancelled" }, row.history, nowMs);
    return "cancelled";
  }

  replay(id: string, nowMs: number): "queued" | "not-dead" | "missing" {
    const row = this.#find(id);
    if (row === undefined) return "missing";
    if (row.status !== "dead" && row.status !== "cancelled") return "not-dead";
    this.#run(
      `UPDATE jobs SET status = 'queued', ready = 1, run_at_ms = ?, base = attempt, cancel_requested = 0, error = NULL,
         finished_at_ms = NULL WHERE sequence = ?`,
      [nowMs, row.sequence],
    );
    this.#run("UPDATE job_texts SET result = NULL WHERE sequence = ?", [row.sequence]);
    return "queued";
  }

  find(id: string): Job | undefined {
    const row = this.#find(id);
    return row === undefined ? undefined : this.#whole(row);
  }

  list(query: JobQuery): JobPage {
    const limit = wholeLimit(query.limit);
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    if (query.cursor !== undefined) {
      const place = decodeCursor(query.cursor, [0] as const);
      if (place === undefined) return { items: [], cursor: undefined };
      conditions.push("sequence < ?");
      values.push(place[0]);
    }
    for (const [column, value] of [
      ["function_id", query.functionId],
      ["status", query.status],
      ["kind", query.kind],
    ] as const) {
      if (value === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(value);
    }
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const rows = this.#prepared(`SELECT * FROM jobs ${where} ORDER BY sequence DESC LIMIT ?`).all(...values, limit + 1);
    const { items, cursor } = pageOf(rows as object[] as JobRow[], limit, ({ sequence }) => [sequence]);
    return { items: items.map(toSummary), cursor };
  }

  stats(): JobCounts {
    const counts = Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])) as Record<string, number>;
    for (const row of this.#prepared("SELECT status, count(*) AS count FROM jobs GROUP BY status").all()) {
      counts[String(row["status"])] = Number(row["count"]);
    }
    return counts as JobCounts;
  }

  countDue(nowMs: number): number {
    // A part for each index of those that wait.
    const counted = this.#prepared(
      `SELECT (SELECT count(*) FROM jobs WHERE status = 'queued' AND ready = 1)
            + (SELECT count(*) FROM jobs WHERE status = 'queued' AND ready = 0 AND run_at_ms <= ?) AS due`,
    ).get(nowMs);
    return Number(counted?.["due"]);
  }

  /** Nobody else has the file: whoever held a lease is gone. */
  dropLeases(): void {
    this.#run("UPDATE jobs SET lease_until_ms = 0 WHERE status = 'running'", []);
  }

  /** A holder that is not heard of any more has lost its job. */
  #takeBackExpired(nowMs: number): void {
    const rows = this.#prepared("SELECT * FROM jobs WHERE status = 'running' AND lease_until_ms <= ?").all(nowMs);
    for (const row of rows as object[] as JobRow[]) {
      const history = JSON.stringify(withEnd(parseHistory(row.history), nowMs, LEASE_LOST));
      this.#requeue(row, row.run_at_ms, history, LEASE_LOST, nowMs);
    }
  }

  #roomOf(limits: ReadonlyMap<string, number>): Map<string, number> {
    const room = new Map(limits);
    if (room.size === 0) return room;
    const rows = this.#prepared(
      "SELECT limited_by, count(*) AS count FROM jobs WHERE status = 'running' AND limited_by IS NOT NULL GROUP BY limited_by",
    ).all();
    for (const row of rows) {
      const name = String(row["limited_by"]);
      const limit = limits.get(name);
      if (limit !== undefined) room.set(name, limit - Number(row["count"]));
    }
    return room;
  }

  #lease(sequence: number, leaseMs: number, nowMs: number): Claim {
    const before = this.#row("SELECT * FROM jobs WHERE sequence = ?", [sequence]) as JobRow;
    const exhausted = before.attempt - before.base >= before.attempts;
    const attempt = exhausted ? before.attempt : before.attempt + 1;
    const begun = { number: attempt, executionId: newId(), startedAtMs: nowMs };
    const history = exhausted ? before.history : JSON.stringify([...parseHistory(before.history), begun]);
    const row = this.#row(
      `UPDATE jobs SET status = 'running', ready = 0, attempt = ?, fence = fence + 1, lease_until_ms = ?, history = ?
       WHERE sequence = ? RETURNING *`,
      [attempt, nowMs + leaseMs, history, sequence],
    ) as JobRow;
    return { job: this.#whole(row), lease: { jobId: row.id, attempt, fence: String(row.fence) }, exhausted };
  }

  #requeue(row: JobRow, atMs: number, history: string, error: string | null, nowMs: number): void {
    if (row.cancel_requested === 1) {
      this.#end(row, { status: "cancelled", error: error ?? undefined }, history, nowMs);
      return;
    }
    this.#run(
      `UPDATE jobs SET status = 'queued', ready = 0, run_at_ms = ?, lease_until_ms = NULL, history = ?, error = ? WHERE sequence = ?`,
      [atMs, history, error, row.sequence],
    );
  }

  #end(row: JobRow, { status, result, error }: JobEnd, history: string, nowMs: number): void {
    this.#run(
      `UPDATE jobs SET status = ?, ready = 0, lease_until_ms = NULL, history = ?, error = ?, finished_at_ms = ? WHERE sequence = ?`,
      [status, history, error ?? null, nowMs, row.sequence],
    );
    if (result !== undefined) this.#run("UPDATE job_texts SET result = ? WHERE sequence = ?", [result, row.sequence]);
  }

  #nextDueMs(): number | undefined {
    const row = this.#row(
      `SELECT min(at) AS at FROM (
         SELECT min(run_at_ms) AS at FROM jobs WHERE status = 'queued' AND ready = 0
         UNION ALL SELECT min(lease_until_ms) FROM jobs WHERE status = 'running')`,
      [],
    ) as { at: number | null } | undefined;
    return row?.at ?? undefined;
  }

  #leased({ jobId, fence }: Lease): JobRow | undefined {
    return this.#row("SELECT * FROM jobs WHERE id = ? AND fence = ? AND status = 'running'", [jobId, Number(fence)]) as
      | JobRow
      | undefined;
  }

  #find(id: string): JobRow | undefined {
    return this.#row("SELECT * FROM jobs WHERE id = ?", [id]) as JobRow | undefined;
  }

  #whole(row: JobRow): Job {
    return toJob(
      row,
      this.#row("SELECT payload, result FROM job_texts WHERE sequence = ?", [row.sequence]) as JobTexts,
    );
  }

  #row(sql: string, values: readonly SQLInputValue[]): object | undefined {
    return this.#prepared(sql).get(...values);
  }

  #run(sql: string, values: readonly SQLInputValue[]): void {
    this.#prepared(sql).run(...values);
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}
