import type { Execution } from "../core/execution.ts";
import type { ExecutionBatch } from "./store.ts";

/** For a store to which executions go as they are. */
export class ListedBatch implements ExecutionBatch {
  readonly #executions: Execution[] = [];
  readonly #append: (executions: readonly Execution[]) => Promise<void>;

  constructor(append: (executions: readonly Execution[]) => Promise<void>) {
    this.#append = append;
  }

  get rows(): number {
    return this.#executions.length;
  }

  add(execution: Execution): void {
    this.#executions.push(execution);
  }

  append(): Promise<void> {
    return this.#append(this.#executions);
  }
}
