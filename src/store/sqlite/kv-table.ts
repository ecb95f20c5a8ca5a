import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { KvChange, KvResult, KvScope, Page, Store } from "../store.ts";
import { decodeCursor, pageOf, wholeLimit } from "../../core/cursor.ts";
import { NO_FUNCTION } from "./function-keys.ts";
import type { FunctionsTable } from "./functions-table.ts";
import { afterPrefix } from "../byte-order.ts";
import { kvStep } from "../kv-change.ts";
import type { KvEntry } from "../kv-change.ts";

const EXPIRED_PER_CHANGE = 16;
const EXPIRED_PER_SWEEP = 500;
const SWEEPS_WHEN_FULL = 20; // 10,000 keys, some 50 ms: more go with the changes that follow

interface KvItem {
  readonly key: string;
  readonly value: string;
  readonly expiresAtMs: number | undefined;
}

/** Keys and values of functions, and those that all share. */
export class KvTable {
  readonly #database: DatabaseSync;
  readonly #functions: FunctionsTable;
  readonly #select: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #selectExpired: StatementSync;
  readonly #selectSize: StatementSync;
  readonly #grow: StatementSync;
  readonly #clear: StatementSync;
  readonly #clearSize: StatementSync;

  constructor(database: DatabaseSync, functions: FunctionsTable) {
    this.#database = database;
    this.#functions = functions;
    this.#select = database.prepare("SELECT value, expires_at_ms FROM kv WHERE function_key = ? AND key = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO kv VALUES (?, ?, ?, ?)");
    this.#remove = database.prepare("DELETE FROM kv WHERE function_key = ? AND key = ?");
    this.#selectExpired = database.prepare(`
      SELECT function_key, key, octet_length(value) AS bytes FROM kv
      WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?
    `);
    this.#selectSize = database.prepare("SELECT bytes FROM kv_sizes WHERE function_key = ?");
    this.#grow = database.prepare(
      "INSERT INTO kv_sizes VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
    );
    this.#clear = database.prepare(
      "DELETE FROM kv WHERE (function_key, key) IN (SELECT function_key, key FROM kv WHERE function_key = ? LIMIT ?)",
    );
    this.#clearSize = database.prepare("DELETE FROM kv_sizes WHERE function_key = ?");
  }

  get(scope: KvScope, key: string, nowMs: number): string | undefined {
    const owner = this.#keyOf(scope);
    if (owner === undefined) return undefined;
    const entry = this.#read(owner, Buffer.from(key));
    return entry === undefined || isExpired(entry, nowMs) ? undefined : entry.value;
  }

  /** Within a transaction. Nothing is kept of a function that is not there. */
  change(scope: KvScope, change: KvChange, limitBytes: number, nowMs: number): KvResult {
    const owner = this.#keyOf(scope);
    if (owner === undefined) return { ok: true, applied: false, value: undefined };
    this.#removeExpired(nowMs, EXPIRED_PER_CHANGE);
    const key = Buffer.from(change.key);
    const stored = this.#read(owner, key);
    const before = stored === undefined || isExpired(stored, nowMs) ? undefined : stored;

    const step = kvStep(change, before);
    switch (step.kind) {
      case "not-a-number":
        return { ok: false, why: "not-a-number" };
      case "leave":
        // A swap of nothing for nothing is one.
        return { ok: true, applied: change.kind === "cas" && before?.value === change.old, value: before?.value };
      case "remove":
        this.#remove.run(owner, key);
        this.#grow.run(owner, -sizeOf(key, stored));
        return { ok: true, applied: true, value: undefined };
      case "put": {
        if (!this.#makeRoom(owner, key, step.entry, limitBytes, nowMs)) return { ok: false, why: "full" };
        // Making room may have removed the very entry that this one replaces.
        const grownBytes = sizeOf(key, step.entry) - sizeOf(key, this.#read(owner, key));
        this.#put.run(owner, key, step.entry.value, step.entry.expiresAtMs ?? null);
        this.#grow.run(owner, grownBytes);
        return { ok: true, applied: true, value: step.entry.value };
      }
    }
  }

  list(scope: KvScope, query: Parameters<Store["kvList"]>[1]): Page<KvItem> {
    const owner = this.#keyOf(scope);
    const limit = wholeLimit(query.limit);
    const place = query.cursor === undefined ? [""] : decodeCursor(query.cursor, [""] as const);
    if (owner === undefined || place === undefined) return { items: [], cursor: undefined };
    const prefix = Buffer.from(query.prefix ?? "");
    const after = query.cursor === undefined ? undefined : Buffer.from(place[0] ?? "", "base64");
    const end = afterPrefix(prefix);
    const conditions = ["function_key = ?", "key >= ?", "(expires_at_ms IS NULL OR expires_at_ms > ?)"];
    const values = [owner, prefix, query.nowMs];
    if (after !== undefined) conditions.push("key > ?");
    if (end !== undefined) conditions.push("key < ?");
    const rows = this.#database
      .prepare(`SELECT key, value, expires_at_ms FROM kv WHERE ${conditions.join(" AND ")} ORDER BY key LIMIT ?`)
      .all(...values, ...(after === undefined ? [] : [after]), ...(end === undefined ? [] : [end]), limit + 1);
    const items = rows.map((row) => ({
      key: Buffer.from(row["key"] as Uint8Array).toString(),
      value: String(row["value"]),
      expiresAtMs: typeof row["expires_at_ms"] === "number" ? row["expires_at_ms"] : undefined,
    }));
    return pageOf(items, limit, (item) => [Buffer.from(item.key).toString("base64")]);
  }

  /** Removes at most `limit` keys of a deleted function, within a transaction; returns how many. */
  clear(owner: number, limit: number): number {
    const removed = Number(this.#clear.run(owner, limit).changes);
    if (removed === 0) this.#clearSize.run(owner);
    return removed;
  }

  /** Returns how many it removed, of any scope. Within a transaction. */
  #removeExpired(nowMs: number, limit: number): number {
    const rows = this.#selectExpired.all(nowMs, limit);
    for (const row of rows) {
      const [owner, key] = [Number(row["function_key"]), row["key"] as Uint8Array];
      this.#remove.run(owner, key);
      this.#grow.run(owner, -(key.length + Number(row["bytes"])));
    }
    return rows.length;
  }

  /** False where there is none for `entry`; one that is no larger than what it replaces needs none. */
  #makeRoom(owner: number, key: Uint8Array, entry: KvEntry, limitBytes: number, nowMs: number): boolean {
    for (let sweeps = 0; ; sweeps++) {
      const grownBytes = sizeOf(key, entry) - sizeOf(key, this.#read(owner, key));
      const bytes = Number(this.#selectSize.get(owner)?.["bytes"] ?? 0);
      if (grownBytes <= 0 || bytes + grownBytes <= limitBytes) return true;
      if (sweeps === SWEEPS_WHEN_FULL || this.#removeExpired(nowMs, EXPIRED_PER_SWEEP) === 0) return false;
    }
  }

  #read(owner: number, key: Uint8Array): KvEntry | undefined {
    const row = this.#select.get(owner, key);
    if (row === undefined) return undefined;
    const expiresAtMs = row["expires_at_ms"];
    return { value: String(row["value"]), expiresAtMs: typeof expiresAtMs === "number" ? expiresAtMs : undefined };
  }

  #keyOf(scope: KvScope): number | undefined {
    return scope === "global" ? NO_FUNCTION : this.#functions.keyOf(scope.functionId);
  }
}

function isExpired(entry: KvEntry, nowMs: number): boolean {
  return entry.expiresAtMs !== undefined && entry.expiresAtMs <= nowMs;
}

function sizeOf(key: Uint8Array, entry: KvEntry | undefined): number {
  return entry === undefined ? 0 : key.length + Buffer.byteLength(entry.value);
}
