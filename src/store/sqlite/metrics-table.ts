import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MetricsBucket } from "../store.ts";
import { Histogram } from "../histogram.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const KEPT_MINUTES = 100 * DAY_MINUTES; // a quarter and some days, at most 150,000 rows a function

interface Minute {
  calls: number;
  errors: number;
  coldStarts: number;
  runMsSum: number;
  runMsMax: number;
  cpuMsSum: number;
  peakKib: number;
  readonly histogram: Histogram;
}

interface MinuteRow {
  readonly minute: number;
  readonly calls: number;
  readonly errors: number;
  readonly cold_starts: number;
  readonly run_ms_sum: number;
  readonly run_ms_max: number;
  readonly histogram: Uint8Array;
  readonly cpu_ms_sum: number;
  readonly peak_kib: number;
}

interface EndedCall {
  readonly queuedAtMs: number;
  readonly runMs: number;
  readonly isError: boolean;
  readonly coldStart: boolean;
  /** 0 where nobody knows, as below. */
  readonly cpuMs: number;
  readonly peakKib: number;
}

/** Calls of each function by minute. */
export class MetricsTable {
  readonly #select: StatementSync;
  readonly #put: StatementSync;
  readonly #selectRange: StatementSync;
  readonly #removeOld: StatementSync;
  readonly #clear: StatementSync;
  readonly #pending = new Map<number, Map<number, Minute>>();

  constructor(database: DatabaseSync) {
    this.#select = database.prepare("SELECT * FROM metrics WHERE function_key = ? AND minute = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#selectRange = database.prepare(
      "SELECT * FROM metrics WHERE function_key = ? AND minute >= ? AND minute < ? ORDER BY minute",
    );
    this.#removeOld = database.prepare(`
      DELETE FROM metrics WHERE (function_key, minute) IN (
        SELECT function_key, minute FROM metrics
        WHERE minute < (SELECT max(minute) FROM metrics) - ? ORDER BY minute LIMIT ?
      )
    `);
    this.#clear = database.prepare(`
      DELETE FROM metrics WHERE (function_key, minute) IN (
        SELECT function_key, minute FROM metrics WHERE function_key = ? LIMIT ?
      )
    `);
  }

  /** Removes at most `limit` minutes of a deleted function; returns how many. */
  clear(functionKey: number, limit: number): number {
    return Number(this.#clear.run(functionKey, limit).changes);
  }

  /** Counts a call that has ended. */
  add(functionKey: number, call: EndedCall): void {
    let minutes = this.#pending.get(functionKey);
    if (minutes === undefined) this.#pending.set(functionKey, (minutes = new Map<number, Minute>()));
    const number = Math.floor(call.queuedAtMs / MINUTE_MS);
    let minute = minutes.get(number);
    if (minute === undefined) minutes.set(number, (minute = newMinute()));
    minute.calls++;
    if (call.isError) minute.errors++;
    if (call.coldStart) minute.coldStarts++;
    minute.runMsSum += call.runMs;
    minute.runMsMax = Math.max(minute.runMsMax, call.runMs);
    minute.histogram.add(call.runMs);
    minute.cpuMsSum += call.cpuMs;
    minute.peakKib = Math.max(minute.peakKib, call.peakKib);
  }

  /** Writes what `add` was told; call it within the transaction that stores the executions. */
  flush(): void {
    for (const [functionKey, minutes] of this.#pending) {
      for (const [number, minute] of minutes) {
        const stored = this.#select.get(functionKey, number);
        if (stored !== undefined) addRow(minute, stored as object as MinuteRow);
        const { calls, errors, coldStarts, runMsSum, runMsMax, cpuMsSum, peakKib } = minute;
        const histogram = minute.histogram.encode();
        const counts = [calls, errors, coldStarts, runMsSum, runMsMax] as const;
        this.#put.run(functionKey, number, ...counts, histogram, cpuMsSum, peakKib);
      }
    }
    this.#pending.clear();
  }

  /** After a transaction that was rolled back. */
  forget(): void {
    this.#pending.clear();
  }

  list(functionKey: number, range: { fromMs: number; toMs: number; stepMs: number }): MetricsBucket[] {
    const stepMinutes = Math.max(1, Math.round(range.stepMs / MINUTE_MS));
    const first = Math.floor(range.fromMs / MINUTE_MS);
    const end = Math.ceil(range.toMs / MINUTE_MS);
    const buckets: MetricsBucket[] = [];
    let step = Number.NaN;
    let sum = newMinute();
    const finish = (): void => {
      if (sum.calls > 0) buckets.push(toBucket(step * stepMinutes * MINUTE_MS, sum));
      sum = newMinute();
    };
    for (const found of this.#selectRange.iterate(functionKey, first, end)) {
      const row = found as object as MinuteRow;
      const own = Math.floor(row.minute / stepMinutes);
      if (own !== step) finish();
      step = own;
      addRow(sum, row);
    }
    finish();
    return buckets;
  }

  /** Removes at most `limit` minutes that are too long before the last one; returns how many. */
  removeOld(limit: number): number {
    return Number(this.#removeOld.run(KEPT_MINUTES, limit).changes);
  }
}

function newMinute(): Minute {
  return {
    calls: 0,
    errors: 0,
    coldStarts: 0,
    runMsSum: 0,
    runMsMax: 0,
    cpuMsSum: 0,
    peakKib: 0,
    histogram: new Histogram(),
  };
}

function addRow(sum: Minute, row: MinuteRow): void {
  sum.calls += row.calls;
  sum.errors += row.errors;
  sum.coldStarts += row.cold_starts;
  sum.runMsSum += row.run_ms_sum;
  sum.runMsMax = Math.max(sum.runMsMax, row.run_ms_max);
  sum.cpuMsSum += row.cpu_ms_sum;
  sum.peakKib = Math.max(sum.peakKib, row.peak_kib);
  sum.histogram.addEncoded(row.histogram);
}

function toBucket(fromMs: number, { histogram, peakKib, ...sums }: Minute): MetricsBucket {
  const [p50Ms, p95Ms, p99Ms] = histogram.quantilesMs([0.5, 0.95, 0.99]);
  return { fromMs, ...sums, peakMemoryBytes: peakKib * 1024, p50Ms, p95Ms, p99Ms };
}
