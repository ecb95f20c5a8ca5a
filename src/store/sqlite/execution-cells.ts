import type { Execution } from "../../core/execution.ts";
import { packLines } from "./execution-lines.ts";
import { outcomeCode } from "./outcome-codes.ts";

export type Cell = string | number | null;

/** The cells of an execution in their order. `program` and `extra` are places in the batch's other lists, the latter null for nothing. */
export const CELLS = [
  "id",
  "program",
  "outcome",
  "queuedAtMs",
  "waitMs",
  "runMs",
  "flags",
  "extra",
  "cpuMs",
  "peakKib",
] as const;

/** Bits of `flags`; the last one says that there is something in the index of words. */
export const FLAGS = { coldStart: 1, logsTruncated: 2, hasWords: 4 } as const;

/** What was run. An execution of ad-hoc code has no function. */
export interface Program {
  readonly functionId: string | undefined;
  readonly functionName: string | undefined;
  readonly version: number | undefined;
  readonly language: string;
}

/** What most executions have none of, in its order: the last one is the packed log lines. */
export const EXTRA_CELLS = ["httpStatus", "error", "errorLine", "errorTip", "event", "response", "lines"] as const;

export interface ExecutionBatch {
  /** CELLS.length for each execution. */
  readonly cells: readonly Cell[];
  readonly programs: readonly Program[];
  /** EXTRA_CELLS.length for each execution that has anything of it. */
  readonly extras: readonly Cell[];
}

/**
 * Executions in the shape in which a batch crosses to the worker thread. It costs the gateway's thread least, per row: 0.3 us,
 * the objects themselves 0.6 to 1.2, one JSON text 0.8 to 1.3; most of it is for texts, and so what was run, which is the same
 * for many rows, crosses once.
 */
export function toBatch(executions: readonly Execution[]): ExecutionBatch {
  const cells: Cell[] = [];
  const programs: Program[] = [];
  const places = new Map<string | undefined, number[]>();
  const extras: Cell[] = [];
  for (const execution of executions) {
    const place = placeOf(execution, programs, places);
    const lines = packLines(execution.logs);
    let extra: number | null = null;
    if (lines !== null || hasExtra(execution)) {
      extra = extras.length;
      extras.push(
        execution.httpStatus ?? null,
        execution.error ?? null,
        execution.errorLine ?? null,
        execution.errorTip ?? null,
        execution.event ?? null,
        execution.response ?? null,
        lines,
      );
    }
    cells.push(
      execution.id,
      place,
      outcomeCode(execution.status, execution.trigger),
      execution.queuedAtMs,
      execution.waitMs,
      execution.runMs,
      (execution.coldStart ? FLAGS.coldStart : 0) | (execution.logsTruncated ? FLAGS.logsTruncated : 0),
      extra,
      execution.cpuMs ?? null,
      execution.peakMemoryBytes === undefined ? null : Math.ceil(execution.peakMemoryBytes / 1024),
    );
  }
  return { cells, programs, extras };
}

function placeOf(execution: Program, programs: Program[], places: Map<string | undefined, number[]>): number {
  const { functionId, functionName, version, language } = execution;
  let own = places.get(functionId);
  if (own === undefined) places.set(functionId, (own = []));
  for (const place of own) {
    const program = programs[place];
    if (program === undefined || program.version !== version) continue;
    if (program.functionName === functionName && program.language === language) return place;
  }
  const place = programs.push({ functionId, functionName, version, language }) - 1;
  own.push(place);
  return place;
}

function hasExtra({ error, event, response, httpStatus, errorLine, errorTip }: Execution): boolean {
  return (
    error !== undefined ||
    event !== undefined ||
    response !== undefined ||
    httpStatus !== undefined ||
    errorLine !== undefined ||
    errorTip !== undefined
  );
}

/** A text that no other program has. */
export function programName({ functionId, functionName, version, language }: Program): string {
  return `${version} ${functionId?.length} ${functionId} ${language.length} ${language} ${functionName?.length} ${functionName}`;
}
