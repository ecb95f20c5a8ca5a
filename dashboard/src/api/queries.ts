// What pages ask the server again and again. Keys begin with the kind, so that a change can tell which answers are old.
import { keepPreviousData, queryOptions, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { call } from "./client.ts";
import type { FunctionSummary, FunctionWithAll, Operations, Session } from "./schema.ts";
import type { System } from "./system.ts";

/** How often what is alive is looked at. */
export const LIVE_MS = 1500;

export const keys = {
  session: ["session"],
  system: ["system"],
  functions: ["functions"],
  function: (name: string) => ["function", name],
  executions: ["executions"],
  execution: (id: string) => ["execution", id],
  jobs: ["jobs"],
  job: (id: string) => ["jobs", id],
  metrics: ["metrics"],
  apiKeys: ["keys"],
} as const;

export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: ({ signal }) => call("readSession", {}, { signal }),
  staleTime: 60_000,
});

/** Who is at the browser, and what the server lets them do. */
export function useSession(): UseQueryResult<Session> {
  return useQuery(sessionQuery);
}

const GRANTS: Readonly<Record<Session["scope"], readonly Session["scope"][]>> = {
  admin: ["admin", "deploy", "invoke", "read"],
  deploy: ["deploy", "invoke", "read"],
  invoke: ["invoke"],
  read: ["read"],
};

/** True when the session is good for `scope`; also while nobody knows yet. */
export function useMay(scope: Session["scope"]): boolean {
  const { data } = useSession();
  return data === undefined || GRANTS[data.scope].includes(scope);
}

export function systemQuery(refetchInterval: number | false = LIVE_MS) {
  return queryOptions({
    queryKey: keys.system,
    queryFn: async ({ signal }) => (await call("readSystem", {}, { signal })) as unknown as System,
    refetchInterval,
  });
}

export function useSystem(refetchInterval?: number | false): UseQueryResult<System> {
  return useQuery(systemQuery(refetchInterval));
}

/** Ids of functions that are being deleted, while that can still be undone. */
export const deleting = new Set<string>();

const PAGE = 200; // the most that the API gives at once

/** All functions, by name. */
export const functionsQuery = queryOptions({
  queryKey: keys.functions,
  async queryFn({ signal }): Promise<readonly FunctionSummary[]> {
    const all: FunctionSummary[] = [];
    let cursor: string | undefined;
    do {
      const page = await call("listFunctions", { query: { limit: PAGE, cursor } }, { signal });
      all.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return all.filter(({ id }) => !deleting.has(id));
  },
  staleTime: 5_000,
});

export function useFunctions(): UseQueryResult<readonly FunctionSummary[]> {
  return useQuery(functionsQuery);
}

/** One function with its code. `name` is its name or id. */
export function useFunction(name: string): UseQueryResult<FunctionWithAll> {
  return useQuery({
    queryKey: keys.function(name),
    queryFn: ({ signal }) => call("readFunction", { params: { id: name } }, { signal }),
  });
}

export type ExecutionFilter = NonNullable<Operations["listExecutions"]["query"]>;
export type ExecutionPage = Operations["listExecutions"]["response"];

/** One page of executions, the last first. */
export function useExecutions(
  filter: ExecutionFilter = {},
  refetchInterval: number | false = LIVE_MS,
): UseQueryResult<ExecutionPage> {
  return useQuery({
    queryKey: [...keys.executions, filter],
    queryFn: ({ signal }) => call("listExecutions", { query: filter }, { signal }),
    refetchInterval,
    placeholderData: keepPreviousData,
  });
}
