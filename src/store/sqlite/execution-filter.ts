import type { ExecutionQuery } from "../store.ts";
import type { ExecutionBlocks, SequenceRange } from "./execution-blocks.ts";
import type { WantedFacets } from "./execution-words.ts";
import type { FunctionKeys } from "./function-keys.ts";
import { outcomesOf } from "./outcome-codes.ts";
import type { ProgramsTable } from "./programs-table.ts";

const MAX_FACETS = 64; // of a query for words; more are checked row by row

/** Where to look for what a query wants, and what is left to check there. */
export interface ExecutionFilter {
  /** What was run; undefined: anything. */
  readonly programs: readonly number[] | undefined;
  /** Undefined: any. */
  readonly outcomes: readonly number[] | undefined;
  /** The highest first. */
  readonly ranges: readonly SequenceRange[];
  /** Conditions on rows of `executions`, with their values. */
  readonly conditions: readonly string[];
  readonly values: readonly (number | string)[];
  /** The same as `programs` and `outcomes`, for the index of words; what it cannot tell is in `wordConditions`. */
  readonly facets: WantedFacets;
  readonly wordConditions: readonly string[];
}

interface Parts {
  readonly functions: FunctionKeys;
  readonly programs: ProgramsTable;
  readonly blocks: ExecutionBlocks;
}

/** Undefined where nothing can match. `below` is the sequence before which the page begins. */
export function filterOf(query: ExecutionQuery, below: number, parts: Parts): ExecutionFilter | undefined {
  const { functionId, functionName, version, status, trigger, fromMs, toMs } = query;
  const functionKey = functionId === undefined ? undefined : parts.functions.find(functionId);
  if (functionId !== undefined && functionKey === undefined) return undefined;
  const outcomes = status === undefined && trigger === undefined ? undefined : outcomesOf(status, trigger);
  const conditions: string[] = [];
  const values: number[] = [];
  if (fromMs !== undefined) {
    conditions.push("queued_at_ms >= ?");
    values.push(fromMs);
  }
  if (toMs !== undefined) {
    conditions.push("queued_at_ms < ?");
    values.push(toMs);
  }
  const common = { outcomes, ranges: rangesOf(query, below, parts.blocks), conditions, values, wordConditions: [] };

  if (functionKey === undefined && functionName === undefined && version === undefined) {
    const hidden = [...parts.functions.toClear];
    if (hidden.length > 0) conditions.push(`function_key NOT IN (${hidden.join(", ")})`);
    return { ...common, programs: undefined, facets: { outcomes } };
  }
  const programs = parts.programs.list({ functionKey, functionName, version });
  if (programs.length === 0) return undefined;
  if (functionKey !== undefined && functionName === undefined && version === undefined) {
    return { ...common, programs, facets: { functionKeys: [functionKey], outcomes } };
  }
  if (programs.length <= MAX_FACETS) return { ...common, programs, facets: { programKeys: programs, outcomes } };
  return { ...common, programs, facets: { outcomes }, wordConditions: [`program_key IN (${programs.join(", ")})`] };
}

function rangesOf({ fromMs, toMs }: ExecutionQuery, below: number, blocks: ExecutionBlocks): SequenceRange[] {
  const all =
    fromMs === undefined && toMs === undefined
      ? [{ low: 0, high: Number.MAX_SAFE_INTEGER }]
      : blocks.ranges(fromMs ?? Number.MIN_SAFE_INTEGER, toMs ?? Number.MAX_SAFE_INTEGER);
  return all.map(({ low, high }) => ({ low, high: Math.min(high, below) })).filter(({ low, high }) => low < high);
}
