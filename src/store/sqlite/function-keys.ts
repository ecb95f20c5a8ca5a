import type { DatabaseSync, StatementSync } from "node:sqlite";

/** The key of no function: ad-hoc code, and the keys and values that all functions share. */
export const NO_FUNCTION = 0;

interface Known {
  readonly key: number;
  readonly isDeleted: boolean;
}

/** The small numbers that stand for functions in the big tables. Call its changes within a transaction. */
export class FunctionKeys {
  readonly #select: StatementSync;
  readonly #selectId: StatementSync;
  readonly #insert: StatementSync;
  readonly #markDeleted: StatementSync;
  readonly #markCleared: StatementSync;
  readonly #known = new Map<string, Known>();
  readonly #ids = new Map<number, string>();
  readonly #toClear: Set<number>;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare("SELECT key, deletion FROM function_keys WHERE id = ?");
    this.#selectId = database.prepare("SELECT id FROM function_keys WHERE key = ?");
    this.#insert = database.prepare("INSERT INTO function_keys (id) VALUES (?) RETURNING key");
    this.#markDeleted = database.prepare("UPDATE function_keys SET deletion = 1 WHERE key = ?");
    this.#markCleared = database.prepare("UPDATE function_keys SET deletion = 2 WHERE key = ?");
    const toClear = database.prepare("SELECT key FROM function_keys WHERE deletion = 1").all();
    this.#toClear = new Set(toClear.map((row) => Number(row["key"])));
  }

  /** Undefined for one that nobody has heard of, or that was deleted. */
  find(id: string): number | undefined {
    const known = this.#look(id);
    return known === undefined || known.isDeleted ? undefined : known.key;
  }

  /** As `find`, and gives an unheard-of one a key. */
  findOrAdd(id: string): number | undefined {
    return this.#look(id) === undefined ? this.add(id) : this.find(id);
  }

  add(id: string): number {
    const key = Number(this.#insert.get(id)?.["key"]);
    this.#known.set(id, { key, isDeleted: false });
    return key;
  }

  idOf(key: number): string | undefined {
    if (key === NO_FUNCTION) return undefined;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = String(this.#selectId.get(key)?.["id"]);
      this.#ids.set(key, id);
    }
    return id;
  }

  /** Keys of deleted functions of which something may still be stored. */
  get toClear(): ReadonlySet<number> {
    return this.#toClear;
  }

  markDeleted(key: number): void {
    this.#markDeleted.run(key);
  }

  /** After the transaction of `markDeleted`. */
  noteDeleted(id: string, key: number): void {
    this.#known.set(id, { key, isDeleted: true });
    this.#toClear.add(key);
  }

  markCleared(key: number): void {
    this.#markCleared.run(key);
    this.#toClear.delete(key); // even if it is rolled back: nothing of the function is left
  }

  /** After a transaction that was rolled back: what is known may not be so. */
  forget(): void {
    this.#known.clear();
    this.#ids.clear();
  }

  #look(id: string): Known | undefined {
    const known = this.#known.get(id);
    if (known !== undefined || id === "") return known; // key 0 has the empty id, and is nobody's
    const row = this.#select.get(id);
    if (row === undefined) return undefined;
    const found = { key: Number(row["key"]), isDeleted: row["deletion"] !== 0 };
    this.#known.set(id, found);
    return found;
  }
}
