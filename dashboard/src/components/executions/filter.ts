// What of all executions is shown. It is in the address, so that it can be sent to somebody and the back button finds it.
import { useMemo } from "react";
import { useSearchParams } from "wouter";
import type { ExecutionFilter } from "../../api/queries.ts";

export const STATUSES = ["running", "success", "error", "timeout", "oom", "killed", "cancelled"] as const;
export const TRIGGERS = ["http", "script", "invoke", "run-now", "async", "cron", "mcp"] as const;
/** How far back, in milliseconds. */
export const SPANS = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;
const MINUTE_MS = 60_000;
const NAMES = ["status", "trigger", "function", "version", "since", "text"] as const;
export type FilterName = (typeof NAMES)[number];

export interface FilterState {
  readonly values: Readonly<Record<FilterName, string>>;
  readonly isEmpty: boolean;
  /** For the API. What the address has and the API does not know is left out. */
  readonly filter: ExecutionFilter;
  set(name: FilterName, value: string): void;
  clear(): void;
}

/** @param functionId where only those of one function are wanted */
export function useExecutionFilter(functionId?: string): FilterState {
  const [search, setSearch] = useSearchParams();
  const query = search.toString();
  const values = useMemo(() => {
    const found = new URLSearchParams(query);
    return Object.fromEntries(NAMES.map((name) => [name, found.get(name) ?? ""])) as Record<FilterName, string>;
  }, [query]);
  const filter = useMemo(() => filterOf(values, functionId), [values, functionId]);

  const change = (names: readonly FilterName[], value: string): void =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        for (const name of names) {
          if (value === "") after.delete(name);
          else after.set(name, value);
        }
        return after;
      },
      { replace: true },
    );
  return {
    values,
    isEmpty: NAMES.every((name) => values[name] === "" || (name === "function" && functionId !== undefined)),
    filter,
    set: (name, value) => change([name], value),
    clear: () => change(NAMES, ""),
  };
}

function filterOf(values: Readonly<Record<FilterName, string>>, functionId: string | undefined): ExecutionFilter {
  const one = <T extends string>(known: readonly T[], value: string): T | undefined =>
    known.find((item) => item === value);
  const span = one(Object.keys(SPANS) as (keyof typeof SPANS)[], values.since);
  // To the minute: the same filter a moment later must be the same question.
  const nowMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  return {
    status: one(STATUSES, values.status),
    trigger: one(TRIGGERS, values.trigger),
    function: functionId ?? (values.function === "" ? undefined : values.function),
    version: /^[1-9]\d{0,14}$/.test(values.version) ? Number(values.version) : undefined,
    from: span === undefined ? undefined : new Date(nowMs - SPANS[span]).toISOString(),
    text: values.text === "" ? undefined : values.text,
  };
}
