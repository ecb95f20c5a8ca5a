// What functions did of late: their calls, and what went wrong last.
import { useQueries, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { Execution, MetricsStep } from "../../api/schema.ts";

const LOOK_MS = 15_000;
const HOUR_MS = 3_600_000;
const STEP_S = 120;
const PAGE = 200;
const FAILED = ["error", "timeout", "oom", "killed"] as const;

/** Of the last hour, in steps of two minutes, empty ones included. Asked for by the rows that are in sight. */
export function useCalls(functionId: string, isWanted: boolean): { calls: number[]; errors: number[] } | undefined {
  const { data } = useQuery({
    queryKey: [...keys.metrics, functionId],
    enabled: isWanted,
    queryFn: ({ signal }) =>
      call("readFunctionMetrics", { params: { id: functionId }, query: { step: STEP_S } }, { signal }),
    refetchInterval: LOOK_MS,
    staleTime: LOOK_MS,
  });
  if (data === undefined) return undefined;
  const steps = filled(data.from, data.to, data.items);
  return { calls: steps.map((step) => step?.calls ?? 0), errors: steps.map((step) => step?.errors ?? 0) };
}

function filled(from: string, to: string, items: readonly MetricsStep[]): (MetricsStep | undefined)[] {
  const stepMs = STEP_S * 1000;
  const byStart = new Map(items.map((item) => [Math.floor(Date.parse(item.from) / stepMs), item]));
  const first = Math.floor(Date.parse(from) / stepMs);
  const last = Math.floor((Date.parse(to) - 1) / stepMs);
  return Array.from({ length: last - first + 1 }, (_none, place) => byStart.get(first + place));
}

/** Calls of the last hour by function, for sorting: one answer for each 200 functions. */
export function useAllCalls(isWanted: boolean): UseQueryResult<ReadonlyMap<string, number>> {
  return useQuery({
    queryKey: [...keys.metrics, "all"],
    enabled: isWanted,
    refetchInterval: LOOK_MS,
    async queryFn({ signal }) {
      const all = new Map<string, number>();
      let cursor: string | undefined;
      do {
        const page = await call("readMetrics", { query: { limit: PAGE, cursor } }, { signal });
        for (const { functionId, calls } of page.items) all.set(functionId, calls);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return all;
    },
  });
}

/** By function's id, its last failure among the last 200 of each kind. */
export function useLastFailures(): ReadonlyMap<string, Execution> {
  const pages = useQueries({
    queries: FAILED.map((status) => ({
      queryKey: [...keys.executions, { status, limit: PAGE }],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call("listExecutions", { query: { status, limit: PAGE } }, { signal }),
      refetchInterval: LOOK_MS,
    })),
  });
  const last = new Map<string, Execution>();
  for (const execution of pages.flatMap(({ data }) => data?.items ?? [])) {
    const known = execution.functionId === undefined ? undefined : last.get(execution.functionId);
    if (execution.functionId !== undefined && (known === undefined || known.queuedAt < execution.queuedAt)) {
      last.set(execution.functionId, execution);
    }
  }
  return last;
}

/** One that failed within the last hour. */
export function failsNow(failure: Execution | undefined): boolean {
  return failure !== undefined && Date.now() - Date.parse(failure.queuedAt) < HOUR_MS;
}
