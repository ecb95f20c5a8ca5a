// Executions page by page to the first one ever, and new ones on top while it is live.
import { type InfiniteData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { call } from "../../api/client.ts";
import { type ExecutionFilter, type ExecutionPage, LIVE_MS } from "../../api/queries.ts";
import type { Execution } from "../../api/schema.ts";

const PAGE = 200;
const HEAD = 100; // what is asked again and again
const LOOKED_AFTER = 10; // running ones that are no longer among the head

type Pages = InfiniteData<ExecutionPage, string | undefined>;

export interface Feed {
  readonly items: readonly Execution[];
  readonly isPending: boolean;
  readonly error: unknown;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  loadMore(): void;
  retry(): void;
}

export function useExecutionFeed(filter: ExecutionFilter, isLive: boolean): Feed {
  const client = useQueryClient();
  const queryKey = useMemo(() => ["execution-feed", filter] as const, [filter]);
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) =>
      call("listExecutions", { query: { ...filter, limit: PAGE, cursor: pageParam } }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    // The head brings it up to date; asking for hundreds of pages again would not.
    staleTime: Infinity,
    // Pages are never asked for again, so there is nothing to compare: with 500 of them that takes longer than the answer.
    structuralSharing: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

  const isReady = query.isSuccess;
  useEffect(() => {
    if (!isLive || !isReady) return undefined;
    const controller = new AbortController();
    let timer: number | undefined;
    const look = async (): Promise<void> => {
      try {
        const { signal } = controller;
        if (!document.hidden) {
          const head = await call("listExecutions", { query: { ...filter, limit: HEAD } }, { signal });
          const before = client.getQueryData<Pages>(queryKey);
          const rest = before === undefined ? [] : await lookAfter(before, head.items, signal);
          if (before !== undefined && isTorn(before, head)) await client.resetQueries({ queryKey });
          else client.setQueryData<Pages>(queryKey, (pages) => pages && merged(pages, [...head.items, ...rest]));
        }
      } catch {
        // The next look tells; what is shown stays.
      }
      if (!controller.signal.aborted) timer = window.setTimeout(() => void look(), LIVE_MS);
    };
    void look();
    return () => {
      controller.abort();
      window.clearTimeout(timer);
    };
  }, [client, filter, queryKey, isLive, isReady]);

  const items = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  return {
    items,
    isPending: query.isPending,
    error: query.error,
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    loadMore: () => {
      if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
    },
    retry: () => void query.refetch(),
  };
}

/** True where so much has come since that there is a gap between the two. */
function isTorn({ pages }: Pages, { items, nextCursor }: ExecutionPage): boolean {
  if (nextCursor === undefined || pages.every((page) => page.items.length === 0)) return false;
  const known = new Set(pages.slice(0, 2).flatMap((page) => page.items.map(({ id }) => id)));
  return !items.some(({ id }) => known.has(id));
}

async function lookAfter(
  { pages }: Pages,
  head: readonly Execution[],
  signal: AbortSignal,
): Promise<readonly Execution[]> {
  const seen = new Set(head.map(({ id }) => id));
  const running = pages.flatMap((page) => page.items.filter(({ status, id }) => status === "running" && !seen.has(id)));
  const found = await Promise.allSettled(
    running.slice(0, LOOKED_AFTER).map(({ id }) => call("readExecution", { params: { id } }, { signal })),
  );
  return found.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

/** The same pages with what is new on top and what has changed replaced; the very same object where nothing has. */
export function merged(before: Pages, latest: readonly Execution[]): Pages {
  const byId = new Map(latest.map((item) => [item.id, item]));
  let hasChanged = false;
  const pages = before.pages.map((page) => {
    let isSame = true;
    const items = page.items.map((item) => {
      const now = byId.get(item.id);
      byId.delete(item.id);
      if (now === undefined || now.status === item.status) return item;
      isSame = false;
      return now;
    });
    hasChanged ||= !isSame;
    return isSame ? page : { ...page, items };
  });
  const fresh = [...byId.values()];
  const [first, ...others] = pages;
  if (first === undefined || (fresh.length === 0 && !hasChanged)) return before;
  return { ...before, pages: [{ ...first, items: [...fresh, ...first.items] }, ...others] };
}
