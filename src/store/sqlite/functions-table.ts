import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { DEFAULT_SETTINGS } from "../../core/function.ts";
import type { FunctionSettings } from "../../core/function.ts";
import { newId } from "../../core/id.ts";
import type { FunctionQuery, Page, Store, StoredFunction } from "../store.ts";
import { decodeCursor, pageOf, wholeLimit } from "../../core/cursor.ts";
import type { FunctionKeys } from "./function-keys.ts";
import type { Retention } from "./retention.ts";
import { durableTransaction } from "./transaction.ts";

interface FunctionRow {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly settings: string;
  readonly active_version: number | null;
  readonly language: string | null;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
}

type NewFunction = Parameters<Store["createFunction"]>[0];
type Changes = Parameters<Store["updateFunction"]>[1];

const SELECT = "SELECT key, id, name, settings, active_version, language, created_at_ms, updated_at_ms FROM functions";
/** The conditions on what comes after a place in each order. */
const ORDERS = {
  name: { after: "name > $text", by: "name" },
  created: { after: "(created_at_ms, id) < ($ms, $text)", by: "created_at_ms DESC, id DESC" },
  updated: { after: "(updated_at_ms, id) < ($ms, $text)", by: "updated_at_ms DESC, id DESC" },
} as const;

/** Functions, without what belongs to them. */
export class FunctionsTable {
  readonly #database: DatabaseSync;
  readonly #keys: FunctionKeys;
  readonly #retention: Retention;
  readonly #insert: StatementSync;
  readonly #selectId: StatementSync;
  readonly #selectName: StatementSync;
  readonly #update: StatementSync;
  readonly #touch: StatementSync;
  readonly #activate: StatementSync;
  readonly #noteVersion: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync, keys: FunctionKeys, retention: Retention) {
    this.#database = database;
    this.#keys = keys;
    this.#retention = retention;
    this.#insert = database.prepare(`
      INSERT INTO functions
      VALUES ($key, $id, $name, $settings, $searchText, $days, $count, NULL, NULL, 0, $nowMs, $nowMs)
    `);
    this.#selectId = database.prepare(`${SELECT} WHERE id = ?`);
    this.#selectName = database.prepare(`${SELECT} WHERE name = ?`);
    this.#update = database.prepare(`
      UPDATE functions SET
        name = $name, settings = $settings, search_text = $searchText,
        retention_days = $days, retention_count = $count, updated_at_ms = $nowMs
      WHERE key = $key
    `);
    this.#touch = database.prepare("UPDATE functions SET updated_at_ms = ? WHERE key = ?");
    this.#activate = database.prepare(
      "UPDATE functions SET active_version = ?, language = ?, updated_at_ms = ? WHERE key = ?",
    );
    this.#noteVersion = database.prepare(`
      UPDATE functions SET last_version = max(last_version + 1, ?) WHERE key = ? RETURNING last_version AS number
    `);
    this.#delete = database.prepare("DELETE FROM functions WHERE key = ?");
  }

  create(created: NewFunction): StoredFunction | undefined {
    const name = created.name.toWellFormed();
    if (this.#selectName.get(name) !== undefined) return undefined;
    return durableTransaction(this.#database, () => this.insert({ ...created, name })).stored;
  }

  find(wanted: { readonly id: string } | { readonly name: string }): StoredFunction | undefined {
    const row = "id" in wanted ? this.#selectId.get(wanted.id) : this.#selectName.get(wanted.name);
    return row === undefined ? undefined : toFunction(row as object as FunctionRow);
  }

  findFirst(names: readonly string[]): StoredFunction | undefined {
    for (const name of names.toSorted((a, b) => b.length - a.length)) {
      const found = this.find({ name });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  list(query: FunctionQuery): Page<StoredFunction> {
    const limit = wholeLimit(query.limit);
    const order = ORDERS[query.sort];
    const conditions: string[] = [];
    const values: Record<string, SQLInputValue> = { limit: limit + 1 };
    if (query.cursor !== undefined) {
      const place = decodeCursor(query.cursor, [query.sort as string, 0, ""] as const);
      if (place?.[0] !== query.sort) return { items: [], cursor: undefined };
      conditions.push(order.after);
      if (query.sort !== "name") values["ms"] = place[1];
      values["text"] = place[2];
    }
    if (query.search !== undefined && query.search !== "") {
      conditions.push("instr(search_text, $search) > 0");
      values["search"] = query.search.toLowerCase();
    }
    if (query.language !== undefined) {
      conditions.push("language = $language");
      values["language"] = query.language;
    }
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const rows = this.#database.prepare(`${SELECT} ${where} ORDER BY ${order.by} LIMIT $limit`).all(values);
    return pageOf((rows as object[] as FunctionRow[]).map(toFunction), limit, (item) => {
      if (query.sort === "name") return [query.sort, 0, item.name];
      return [query.sort, query.sort === "created" ? item.createdAtMs : item.updatedAtMs, item.id];
    });
  }

  update(id: string, changes: Changes): StoredFunction | "missing" | "taken" {
    const row = this.#selectId.get(id) as object | undefined as FunctionRow | undefined;
    if (row === undefined) return "missing";
    const before = toFunction(row);
    const name = changes.name?.toWellFormed() ?? before.name;
    const settings = changes.settings ?? before.settings;
    if (name !== before.name && this.#selectName.get(name) !== undefined) return "taken";
    durableTransaction(this.#database, () =>
      this.#update.run({ key: row.key, name, nowMs: changes.nowMs, ...settingsColumns(name, settings) }),
    );
    this.#retention.setRule(row.key, settings);
    return this.find({ id }) ?? "missing";
  }

  /** Makes it disappear at once; what belongs to it has to be cleared away. */
  delete(id: string, clearSecrets: (key: number) => void): boolean {
    const key = this.keyOf(id);
    if (key === undefined) return false;
    durableTransaction(this.#database, () => {
      clearSecrets(key);
      this.#delete.run(key);
      this.#keys.markDeleted(key);
    });
    this.#keys.noteDeleted(id, key);
    this.#retention.setRule(key, undefined);
    return true;
  }

  /** The key of a function that is there. */
  keyOf(id: string): number | undefined {
    const row = this.#selectId.get(id);
    return row === undefined ? undefined : Number(row["key"]);
  }

  // For other tables, within their transactions:

  insert({ id = newId(), name, settings, nowMs }: NewFunction): { key: number; stored: StoredFunction } {
    const key = this.#keys.add(id);
    this.#insert.run({ key, id, name, nowMs, ...settingsColumns(name, settings) });
    this.#retention.setRule(key, settings);
    return { key, stored: toFunction(this.#selectId.get(id) as object as FunctionRow) };
  }

  touch(key: number, nowMs: number): void {
    this.#touch.run(nowMs, key);
  }

  activate(key: number, version: { number: number; language: string }, nowMs: number): void {
    this.#activate.run(version.number, version.language, nowMs, key);
  }

  /** The number for a new version: at least `seconds`, and above all that there ever were. */
  nextVersion(key: number, seconds: number): number {
    return Number(this.#noteVersion.get(seconds, key)?.["number"]);
  }
}

function settingsColumns(name: string, settings: FunctionSettings): Record<string, SQLInputValue> {
  return {
    settings: JSON.stringify(settings),
    searchText: `${name}\n${settings.description}`.toLowerCase(),
    days: settings.retentionDays ?? null,
    count: settings.retentionCount ?? null,
  };
}

function toFunction(row: FunctionRow): StoredFunction {
  return {
    id: row.id,
    name: row.name,
    settings: { ...DEFAULT_SETTINGS, ...(JSON.parse(row.settings) as Partial<FunctionSettings>) },
    activeVersion: row.active_version ?? undefined,
    language: row.language ?? undefined,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}
