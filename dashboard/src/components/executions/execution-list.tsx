// A list of executions with its filters: as many as there are, of which the page has only those in view.
import { Button, Loader, Text } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useRef } from "react";
import { Link } from "wouter";
import type { Execution } from "../../api/schema.ts";
import { useFormat } from "../../i18n/format.ts";
import { executionMessages } from "../../messages/executions.ts";
import { paths, useQueryState } from "../../router.ts";
import { EmptyState } from "../empty-state.tsx";
import { FaultNotice } from "../fault-notice.tsx";
import { LanguageMark } from "../language-mark.tsx";
import { PageLoading } from "../page.tsx";
import { StatusBadge } from "../status-badge.tsx";
import { TimeAgo } from "../time-ago.tsx";
import { firstLine } from "./first-line.ts";
import { ExecutionFilters } from "./execution-filters.tsx";
import classes from "./executions.module.css";
import { useExecutionFilter } from "./filter.ts";
import { type Feed, useExecutionFeed } from "./use-feed.ts";

const ROW_PX = 48;
const NARROW_ROW_PX = 72;
const AHEAD = 100; // rows before the end at which the next page is asked for

/** @param functionId where only those of one function are wanted */
export function ExecutionList({ functionId }: { functionId?: string }) {
  const text = executionMessages.use();
  const state = useExecutionFilter(functionId);
  const [live, setLive] = useQueryState("live");
  const isLive = live !== "0";
  const feed = useExecutionFeed(state.filter, isLive);
  return (
    <>
      <ExecutionFilters
        state={state}
        withFunction={functionId === undefined}
        isLive={isLive}
        onLive={(next) => setLive(next ? "" : "0")}
      />
      {feed.error !== null && feed.items.length === 0 ? (
        <FaultNotice error={feed.error} onRetry={feed.retry} />
      ) : feed.isPending ? (
        <PageLoading />
      ) : feed.items.length > 0 ? (
        <Rows feed={feed} withFunction={functionId === undefined} />
      ) : state.isEmpty ? (
        <EmptyState
          title={text.none}
          action={
            <Button component={Link} href={paths.playground} variant="light">
              {text.toPlayground}
            </Button>
          }
        >
          {text.noneHint}
        </EmptyState>
      ) : (
        <EmptyState
          title={text.noMatch}
          action={
            <Button variant="light" onClick={state.clear}>
              {text.clear}
            </Button>
          }
        />
      )}
    </>
  );
}

function Rows({ feed, withFunction }: { feed: Feed; withFunction: boolean }) {
  const text = executionMessages.use();
  const box = useRef<HTMLDivElement>(null);
  const isNarrow = window.matchMedia("(max-width: 48em)").matches;
  const { items, hasMore, isLoadingMore, loadMore } = feed;
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => (isNarrow ? NARROW_ROW_PX : ROW_PX),
    getItemKey: useCallback((index: number) => items[index]?.id ?? index, [items]), // another function: all measured anew
    overscan: 12,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  const isNearEnd = hasMore && !isLoadingMore && last >= items.length - AHEAD;
  useEffect(() => {
    if (isNearEnd) loadMore();
  });
  const columns = [
    text.status,
    withFunction ? text.functionField : text.version,
    text.trigger,
    text.httpStatus,
    text.duration,
    text.when,
  ];
  return (
    <div
      role="table"
      aria-label={text.title}
      aria-rowcount={hasMore ? -1 : items.length + 1}
      className={`card ${classes.table}`}
      data-kind={withFunction ? "all" : "one"}
    >
      <div role="rowgroup" className={classes.head}>
        <div role="row" aria-rowindex={1} className={classes.row}>
          {columns.map((column) => (
            <span key={column} role="columnheader">
              {column}
            </span>
          ))}
        </div>
      </div>
      <div ref={box} role="rowgroup" className={classes.scroll} tabIndex={0} aria-label={text.title}>
        <div role="presentation" style={{ height: rows.getTotalSize() }} className={classes.space}>
          {shown.map(({ index, start, size, key }) => {
            const item = items[index];
            return item === undefined ? null : (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                className={classes.row}
                style={{ transform: `translateY(${start}px)`, height: size }}
              >
                <Cells execution={item} withFunction={withFunction} />
              </div>
            );
          })}
        </div>
        {isLoadingMore ? (
          <div role="presentation" className={classes.more}>
            <Loader size="xs" aria-hidden />
            <Text size="sm" c="dimmed" role="status">
              {text.loadingMore}
            </Text>
          </div>
        ) : null}
      </div>
    </div>
  );
}

const Cells = memo(function Cells({ execution, withFunction }: { execution: Execution; withFunction: boolean }) {
  const text = executionMessages.use();
  const format = useFormat();
  const { id, status, functionName, language, version, trigger, httpStatus, coldStart, queuedAt, runMs, error } =
    execution;
  const name = withFunction ? (functionName ?? text.adHoc) : (version?.toString() ?? text.adHoc);
  return (
    <>
      <span role="cell" className={classes.status}>
        <StatusBadge status={status} />
      </span>
      <span role="cell" className={classes.name}>
        <LanguageMark language={language} />
        <Link href={paths.execution(id)} className={classes.link}>
          {name}
        </Link>
        {error === undefined ? null : <span className={classes.error}>{firstLine(error)}</span>}
      </span>
      <span role="cell" className={classes.trigger}>
        {text[trigger]}
      </span>
      <span role="cell" className={classes.http}>
        {httpStatus ?? ""}
      </span>
      <span role="cell" className={classes.duration}>
        {status === "running" ? "…" : format.duration(runMs)}
        {coldStart ? (
          <span className={classes.cold} title={text.coldHint}>
            {text.cold}
          </span>
        ) : null}
      </span>
      <span role="cell" className={classes.when}>
        <TimeAgo time={queuedAt} />
      </span>
    </>
  );
});
