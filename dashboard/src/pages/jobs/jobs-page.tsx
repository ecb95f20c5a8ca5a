// Jobs: what waits, what runs, and what did not go well; the filter is in the address.
import { Button, NativeSelect } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { call } from "../../api/client.ts";
import { keys, useFunctions, useMay } from "../../api/queries.ts";
import type { Job } from "../../api/schema.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconInbox, IconRetry } from "../../components/icons.ts";
import { Page, PageLoading } from "../../components/page.tsx";
import { jobMessages } from "../../messages/jobs.ts";
import { JobTable } from "./job-table.tsx";
import classes from "./jobs.module.css";
import { ReplayAll } from "./replay-all.tsx";

const STATUSES = ["queued", "running", "completed", "dead", "cancelled"] as const;
const KINDS = ["invocation", "cron", "callback"] as const;
const LOOK_MS = 2_000;
const PAGE = 50;
const MAX_LIVE_PAGES = 2; // whoever reads further down is not waiting for news

interface Filter {
  readonly status?: Job["status"] | undefined;
  readonly kind?: (typeof KINDS)[number] | undefined;
  readonly function?: string | undefined;
}

export default function JobsPage() {
  const text = jobMessages.use();
  const { filter, isEmpty, set, clear } = useFilter();
  const [isAsking, setIsAsking] = useState(false);
  const mayDeploy = useMay("deploy");
  const { status } = filter;
  const feed = useInfiniteQuery({
    queryKey: [...keys.jobs, filter],
    queryFn: ({ pageParam, signal }) =>
      call("listJobs", { query: { ...filter, limit: PAGE, cursor: pageParam } }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > MAX_LIVE_PAGES ? false : LOOK_MS),
    placeholderData: keepPreviousData,
  });
  const items = feed.data?.pages.flatMap((page) => page.items) ?? [];
  const replayable = status === "dead" || status === "cancelled" ? status : undefined;
  return (
    <Page
      title={text.title}
      description={text.description}
      actions={
        replayable === undefined || items.length === 0 || !mayDeploy ? undefined : (
          <Button leftSection={<IconRetry size={16} />} onClick={() => setIsAsking(true)}>
            {text.replayAll}
          </Button>
        )
      }
    >
      <Filters filter={filter} isEmpty={isEmpty} set={set} clear={clear} />
      {feed.error !== null && feed.data === undefined ? (
        <FaultNotice error={feed.error} onRetry={() => void feed.refetch()} />
      ) : feed.isPending ? (
        <PageLoading />
      ) : items.length > 0 ? (
        <JobTable items={items} />
      ) : feed.hasNextPage ? null : isEmpty ? (
        <EmptyState icon={<IconInbox size={32} />} title={text.none}>
          {text.noneHint}
        </EmptyState>
      ) : (
        <EmptyState
          title={text.noMatch}
          action={
            <Button variant="light" onClick={clear}>
              {text.clear}
            </Button>
          }
        />
      )}
      {feed.hasNextPage ? (
        <Button
          variant="default"
          mt="md"
          loading={feed.isFetchingNextPage}
          onClick={() => void feed.fetchNextPage()}
          fullWidth
        >
          {text.more}
        </Button>
      ) : null}
      {isAsking && replayable !== undefined ? (
        <ReplayAll status={replayable} functionName={filter.function} onClose={() => setIsAsking(false)} />
      ) : null}
    </Page>
  );
}

interface FilterState {
  readonly filter: Filter;
  readonly isEmpty: boolean;
  readonly set: (name: keyof Filter, value: string) => void;
  readonly clear: () => void;
}

function Filters({ filter, isEmpty, set, clear }: FilterState) {
  const text = jobMessages.use();
  const { data: functions = [] } = useFunctions();
  const names = functions.map(({ name }) => name);
  const wanted = filter.function;
  return (
    <search className={classes.filters} aria-label={text.filters}>
      <NativeSelect
        label={text.status}
        value={filter.status ?? ""}
        onChange={({ currentTarget }) => set("status", currentTarget.value)}
        data={[{ value: "", label: text.anyStatus }, ...STATUSES.map((value) => ({ value, label: text[value] }))]}
      />
      <NativeSelect
        label={text.kind}
        value={filter.kind ?? ""}
        onChange={({ currentTarget }) => set("kind", currentTarget.value)}
        data={[{ value: "", label: text.anyKind }, ...KINDS.map((value) => ({ value, label: text[value] }))]}
      />
      <NativeSelect
        label={text.functionField}
        value={wanted ?? ""}
        onChange={({ currentTarget }) => set("function", currentTarget.value)}
        data={[
          { value: "", label: text.anyFunction },
          ...(wanted === undefined || names.includes(wanted) ? names : [wanted, ...names]),
        ]}
      />
      {isEmpty ? null : (
        <Button variant="subtle" onClick={clear}>
          {text.clear}
        </Button>
      )}
    </search>
  );
}

function useFilter(): FilterState {
  const [search, setSearch] = useSearchParams();
  const wanted = search.get("function");
  const filter: Filter = {
    status: STATUSES.find((known) => known === search.get("status")),
    kind: KINDS.find((known) => known === search.get("kind")),
    function: wanted === null || wanted === "" ? undefined : wanted,
  };
  return {
    filter,
    isEmpty: Object.values(filter).every((value) => value === undefined),
    set: (name, value) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === "") after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: true },
      ),
    clear: () => setSearch({}, { replace: true }),
  };
}
