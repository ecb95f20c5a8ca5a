import type { DatabaseSync, StatementSync } from "node:sqlite";

const BLOCK_BITS = 10;
const MAX_GAP_BLOCKS = 4; // four thousand rows are passed over in the time that another look-up in each index takes

/** Sequences from `low` to before `high`. */
export interface SequenceRange {
  readonly low: number;
  readonly high: number;
}

/**
 * When executions were queued, for every 1,024 sequences. Sequences are in the order of appending, which is nearly that of
 * time, so a time leads to few ranges of sequences; which rows in them are of that time is for the reader to check.
 */
export class ExecutionBlocks {
  readonly #widen: StatementSync;
  readonly #select: StatementSync;
  readonly #removeBelow: StatementSync;
  #pending = new Map<number, { firstMs: number; lastMs: number }>();

  constructor(database: DatabaseSync) {
    this.#widen = database.prepare(`
      INSERT INTO execution_blocks VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)
    `);
    this.#select = database.prepare(
      "SELECT block FROM execution_blocks WHERE last_ms >= ? AND first_ms < ? ORDER BY block DESC",
    );
    this.#removeBelow = database.prepare("DELETE FROM execution_blocks WHERE block < ?");
  }

  add(sequence: number, queuedAtMs: number): void {
    const block = blockOf(sequence);
    const times = this.#pending.get(block);
    if (times === undefined) this.#pending.set(block, { firstMs: queuedAtMs, lastMs: queuedAtMs });
    else {
      if (queuedAtMs < times.firstMs) times.firstMs = queuedAtMs;
      if (queuedAtMs > times.lastMs) times.lastMs = queuedAtMs;
    }
  }

  /** Writes what `add` was told; call it within the same transaction. */
  flush(): void {
    for (const [block, { firstMs, lastMs }] of this.#pending) this.#widen.run(block, firstMs, lastMs);
    this.#pending.clear();
  }

  /** After a transaction that was rolled back. */
  forget(): void {
    this.#pending.clear();
  }

  removeBelow(sequence: number): void {
    this.#removeBelow.run(blockOf(sequence));
  }

  /** Where executions of this time can be, the highest sequences first; `toMs` itself is not included. */
  ranges(fromMs: number, toMs: number): SequenceRange[] {
    const ranges: { low: number; high: number }[] = [];
    for (const row of this.#select.all(fromMs, toMs)) {
      const low = Number(row["block"]) * 2 ** BLOCK_BITS;
      const last = ranges.at(-1);
      if (last !== undefined && last.low - low <= (MAX_GAP_BLOCKS + 1) * 2 ** BLOCK_BITS) last.low = low;
      else ranges.push({ low, high: low + 2 ** BLOCK_BITS });
    }
    return ranges;
  }
}

function blockOf(sequence: number): number {
  return Math.floor(sequence / 2 ** BLOCK_BITS);
}
