import type { ExecutionRemoval } from "./execution-removal.ts";
import type { ExecutionsTable } from "./executions-table.ts";
import type { FunctionKeys } from "./function-keys.ts";
import type { KvTable } from "./kv-table.ts";
import type { VersionsTable } from "./versions-table.ts";

const ROWS = 100; // 1 ms
const VERSIONS = 4; // a version may have megabytes of files

/** Removes what belonged to deleted functions, which nobody sees any more, step by step: there may be gigabytes of it. */
export class Clearing {
  readonly #functions: FunctionKeys;
  readonly #executions: ExecutionsTable;
  readonly #removal: ExecutionRemoval;
  readonly #kv: KvTable;
  readonly #versions: VersionsTable;

  constructor(parts: {
    functions: FunctionKeys;
    executions: ExecutionsTable;
    removal: ExecutionRemoval;
    kv: KvTable;
    versions: VersionsTable;
  }) {
    this.#functions = parts.functions;
    this.#executions = parts.executions;
    this.#removal = parts.removal;
    this.#kv = parts.kv;
    this.#versions = parts.versions;
  }

  /** A step of a millisecond or two; false where nothing is left to do. */
  step(): boolean {
    const [key] = this.#functions.toClear;
    if (key === undefined) return false;
    this.#executions.change(() => {
      const hasMore =
        this.#removal.removeAnyOf(key, ROWS) > 0 ||
        this.#kv.clear(key, ROWS) > 0 ||
        this.#versions.clear(key, VERSIONS) > 0 ||
        this.#executions.metrics.clear(key, ROWS) > 0;
      if (hasMore) return;
      this.#executions.programs.clear(key);
      this.#functions.markCleared(key);
    });
    return true;
  }
}
