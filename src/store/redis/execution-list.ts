import type { ExecutionSummary } from "../../core/execution.ts";
import { wholeLimit } from "../../core/cursor.ts";
import type { ExecutionQuery, Page } from "../store.ts";
import { MAX_QUERY_WORDS, wordsOf } from "../words.ts";
import { toSummary } from "./executions.ts";
import type { Keyspace } from "./keyspace.ts";
import type { RedisConnection } from "./redis-connection.ts";

const CHUNK = 500; // records that are looked at in one step: a millisecond or two in which Redis does nothing else
const BLOCK_SEQUENCES = 1024;
const MAX_GAP_BLOCKS = 4;

interface Range {
  readonly low: number;
  /** Not included. */
  readonly high: number;
}

/**
 * Lists of executions: the narrowest place is walked from its newest end, a bounded number of records in each step, and what
 * does not fit is passed over. There is a place for each function and each status but success; all else passes over all.
 */
export class ExecutionList {
  readonly #connection: RedisConnection;
  readonly #key: string;

  constructor(connection: RedisConnection, keyspace: Keyspace) {
    this.#connection = connection;
    this.#key = keyspace.executions;
  }

  async page(query: ExecutionQuery): Promise<Page<ExecutionSummary>> {
    const limit = wholeLimit(query.limit);
    const below = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(query.cursor);
    if (limit === 0 || below === 0) return { items: [], cursor: undefined };
    const { functionId, functionName, version, status, trigger, fromMs, toMs } = query;
    const filter = JSON.stringify({ functionId, functionName, version, status, trigger, fromMs, toMs });
    const words = query.text === undefined ? [] : [...wordsOf(query.text)].slice(0, MAX_QUERY_WORDS);
    const looked = filter === "{}" && words.length === 0 ? limit + 1 : CHUNK;

    const found: { sequence: string; summary: string }[] = [];
    for (const range of await this.#ranges(query)) {
      let high = Math.min(range.high, below);
      while (high > range.low && found.length <= limit) {
        const args = [placeOf(query), range.low, high, looked, limit + 1 - found.length, filter, ...words];
        const [last = "", ...rows] = (await this.#connection.run("list-executions", this.#key, args)) as string[];
        for (let at = 0; at < rows.length; at += 2) {
          found.push({ sequence: rows[at] ?? "", summary: rows[at + 1] ?? "" });
        }
        if (last === "") break;
        high = Number(last);
      }
    }
    const page = found.slice(0, limit);
    return {
      items: page.map(({ summary }) => toSummary(summary)),
      cursor: found.length > limit ? page.at(-1)?.sequence : undefined,
    };
  }

  /** Where executions of the wanted time can be, the highest sequences first: they are appended nearly in the order of time. */
  async #ranges({ fromMs = -Infinity, toMs = Infinity }: ExecutionQuery): Promise<Range[]> {
    if (fromMs === -Infinity && toMs === Infinity) return [{ low: 0, high: Number.MAX_SAFE_INTEGER }];
    const reply = await this.#connection.command("HGETALL", `${this.#key}:blocks`);
    const blocks = Object.entries(reply as object as Record<string, string>)
      .map(([block, times]) => ({ block: Number(block), times: times.split(" ").map(Number) }))
      .filter(({ times: [first = 0, last = 0] }) => last >= fromMs && first < toMs)
      .sort((a, b) => b.block - a.block);
    const ranges: { low: number; high: number }[] = [];
    for (const { block } of blocks) {
      const low = block * BLOCK_SEQUENCES;
      const before = ranges.at(-1);
      if (before !== undefined && before.low - low <= (MAX_GAP_BLOCKS + 1) * BLOCK_SEQUENCES) before.low = low;
      else ranges.push({ low, high: low + BLOCK_SEQUENCES });
    }
    return ranges;
  }
}

function placeOf({ functionId, status }: ExecutionQuery): string {
  if (functionId !== undefined) return `f:${functionId}`;
  return status === undefined || status === "success" ? "all" : `st:${status}`;
}

/** 0, before which there is nothing, for a cursor that is not ours. */
function parseCursor(cursor: string): number {
  return /^[1-9]\d{0,14}$/.test(cursor) ? Number(cursor) : 0;
}
