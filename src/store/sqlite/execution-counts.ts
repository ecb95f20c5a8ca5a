import type { DatabaseSync, StatementSync } from "node:sqlite";

/** How many executions are stored, of each function and of all. */
export class ExecutionCounts {
  readonly #add: StatementSync;
  readonly #select: StatementSync;
  readonly #sum: StatementSync;
  readonly #pending = new Map<number, number>();
  #total: number;

  constructor(database: DatabaseSync) {
    this.#add = database.prepare("UPDATE function_keys SET executions = executions + ? WHERE key = ?");
    this.#select = database.prepare("SELECT executions FROM function_keys WHERE key = ?");
    this.#sum = database.prepare("SELECT sum(executions) AS total FROM function_keys");
    this.#total = this.#sumUp();
  }

  get total(): number {
    return this.#total;
  }

  ofFunction(functionKey: number): number {
    return Number(this.#select.get(functionKey)?.["executions"] ?? 0) + (this.#pending.get(functionKey) ?? 0);
  }

  add(functionKey: number, rows: number): void {
    this.#pending.set(functionKey, (this.#pending.get(functionKey) ?? 0) + rows);
    this.#total += rows;
  }

  /** Writes what `add` was told; call it within the transaction that changes the executions. */
  flush(): void {
    for (const [functionKey, rows] of this.#pending) this.#add.run(rows, functionKey);
    this.#pending.clear();
  }

  /** After a transaction that was rolled back. */
  forget(): void {
    this.#pending.clear();
    this.#total = this.#sumUp();
  }

  #sumUp(): number {
    return Number(this.#sum.get()?.["total"] ?? 0);
  }
}
