import type { Execution, ExecutionSummary } from "../../core/execution.ts";
import { bucketOf } from "../histogram.ts";
import { textOf, wordsOf } from "../words.ts";
import type { Functions } from "./functions.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Argument, RedisConnection } from "./redis-connection.ts";
import { cutoffOf } from "./retention-rules.ts";

// An append removes twice what it added, and at least this many: a backlog, left where a limit was lowered, shrinks on every
// append, and no append does much more work than another.
const MIN_REMOVED_ROWS = 256;

export interface ExecutionParts {
  readonly connection: RedisConnection;
  readonly keyspace: Keyspace;
  readonly functions: Functions;
  /** The server that runs what it appends. */
  readonly node: string;
  readonly keepExecutions: number;
  readonly nowMs: () => number;
}

type Details = Pick<Execution, "event" | "response" | "logs">;

/** The records of what was run. */
export class Executions {
  readonly #parts: ExecutionParts;

  constructor(parts: ExecutionParts) {
    this.#parts = parts;
  }

  async append(executions: readonly Execution[]): Promise<void> {
    if (executions.length === 0) return;
    const { functions, node, keepExecutions, nowMs } = this.#parts;
    const ids = [...new Set(executions.flatMap(({ functionId }) => functionId ?? []))];
    const rules = await functions.rulesOf(ids);
    await this.#run(
      "append-executions",
      ...[node, keepExecutions, Math.max(2 * executions.length, MIN_REMOVED_ROWS), rules.size],
      ...[...rules].flatMap(([id, rule]) => [id, cutoffOf(rule, nowMs())]),
      ...executions.flatMap(cellsOf),
    );
  }

  async find(id: string): Promise<Execution | undefined> {
    const reply = await this.#run("find-execution", id);
    if (!Array.isArray(reply)) return undefined;
    const details = typeof reply[1] === "string" ? (JSON.parse(reply[1]) as Details) : undefined;
    const { event, response, logs = [] } = details ?? {};
    return { ...toSummary(String(reply[0])), event, response, logs };
  }

  /** Ends what is stored as running on servers that are not there any more, and here if `own`; returns how many there were. */
  async endInterrupted(error: string, own: boolean): Promise<number> {
    const ids = (await this.#run("interrupted", this.#parts.node, own ? "own" : "others")) as string[];
    let ended = 0;
    for (const id of ids) {
      const execution = await this.find(id);
      if (execution?.status !== "running") continue;
      await this.append([{ ...execution, status: "error", error }]);
      ended++;
    }
    return ended;
  }

  async #run(name: Parameters<RedisConnection["run"]>[0], ...args: readonly Argument[]) {
    return await this.#parts.connection.run(name, this.#parts.keyspace.executions, args);
  }
}

export function toSummary(stored: string): ExecutionSummary {
  const summary = JSON.parse(stored) as ExecutionSummary;
  const { id, trigger, functionId, functionName, version, language, status, error, errorLine, errorTip } = summary;
  const { queuedAtMs, waitMs, runMs, cpuMs, peakMemoryBytes, coldStart, httpStatus, logsTruncated } = summary;
  return {
    ...{ id, trigger, functionId, functionName, version, language, status, error, errorLine, errorTip },
    ...{ queuedAtMs, waitMs, runMs, cpuMs, peakMemoryBytes, coldStart, httpStatus, logsTruncated },
  };
}

/** As the script takes an execution. Throws for a time that is no number: it would not come back. */
function cellsOf({ event, response, logs, ...own }: Execution): Argument[] {
  const { id, functionId, status, queuedAtMs, waitMs, runMs, coldStart } = own;
  if (![queuedAtMs, waitMs, runMs].every(Number.isFinite))
    throw new TypeError(`execution ${id} has a time that is none`);
  const summary = {
    ...own,
    // Scripts read it, and know no half characters.
    functionName: own.functionName?.toWellFormed(),
    error: own.error?.toWellFormed(),
    errorTip: own.errorTip?.toWellFormed(),
  };
  const hasDetails = event !== undefined || response !== undefined || logs.length > 0;
  const words = [...wordsOf(textOf(own.error, logs))].map((word) => ` ${word}`).join("");
  return [
    ...[id, functionId ?? "", status, queuedAtMs, runMs, coldStart ? "1" : "0", bucketOf(runMs)],
    ...[own.cpuMs ?? 0, own.peakMemoryBytes ?? 0],
    JSON.stringify(summary satisfies ExecutionSummary),
    hasDetails ? JSON.stringify({ event, response, logs } satisfies Details) : "",
    words,
  ];
}
