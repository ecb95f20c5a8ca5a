// The Metrics tab of a function: how often, how fast, how well.
import { SegmentedControl, Skeleton, Stack, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { ChartLine } from "../../components/executions/chart.tsx";
import { RANGE_NAMES, RANGES, type Range, seriesOf, totalsOf } from "../../components/executions/metrics-series.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { PageLoading } from "../../components/page.tsx";
import { Section } from "../../components/section.tsx";
import { useFormat } from "../../i18n/format.ts";
import { executionMessages } from "../../messages/executions.ts";
import { useQueryState } from "../../router.ts";
import classes from "./function-metrics.module.css";

const Chart = lazy(() => import("../../components/executions/chart.tsx"));
const REFRESH_MS = 10_000;

export function FunctionMetrics({ functionId }: { functionId: string }) {
  const text = executionMessages.use();
  const [wanted, setWanted] = useQueryState("range");
  const range = RANGE_NAMES.find((name) => name === wanted) ?? "1h";
  const { data, error, refetch } = useMetrics(functionId, range);
  return (
    <Stack gap="xl">
      <div>
        <SegmentedControl
          aria-label={text.range}
          value={range}
          onChange={(value) => setWanted(value === "1h" ? "" : value)}
          data={RANGE_NAMES.map((value) => ({ value, label: text[value] }))}
        />
      </div>
      {data === undefined ? (
        error === null ? (
          <PageLoading />
        ) : (
          <FaultNotice error={error} onRetry={() => void refetch()} />
        )
      ) : data.items.length === 0 ? (
        <EmptyState title={text.noCalls}>{text.noCallsHint}</EmptyState>
      ) : (
        <Numbers data={data} />
      )}
    </Stack>
  );
}

type Metrics = NonNullable<ReturnType<typeof useMetrics>["data"]>;

function useMetrics(functionId: string, range: Range) {
  return useQuery({
    queryKey: [...keys.metrics, functionId, range],
    queryFn: async ({ signal }) => {
      const { spanS, stepS } = RANGES[range];
      const toMs = Date.now();
      const fromMs = toMs - spanS * 1000;
      const query = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), step: stepS };
      const { items } = await call("readFunctionMetrics", { params: { id: functionId }, query }, { signal });
      return { items, fromMs, toMs, stepS };
    },
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  });
}

function Numbers({ data: { items, fromMs, toMs, stepS } }: { data: Metrics }) {
  const text = executionMessages.use();
  const format = useFormat();
  const { calls, errors, coldStarts, averageMs, slowestMs, cpuMs, memoryBytes } = useMemo(
    () => totalsOf(items),
    [items],
  );
  const series = useMemo(() => seriesOf(items, fromMs, toMs, stepS), [items, fromMs, toMs, stepS]);
  const counts = useMemo<readonly ChartLine[]>(
    () => [
      { name: text.calls, color: "--cloche-accent", values: series.calls },
      { name: text.errors, color: "--cloche-bad", values: series.errors },
    ],
    [series, text],
  );
  const times = useMemo<readonly ChartLine[]>(
    () => [
      { name: "p50", color: "--cloche-accent", values: series.p50 },
      { name: "p95", color: "--cloche-warn", values: series.p95, dash: [8, 4] },
      { name: "p99", color: "--cloche-bad", values: series.p99, dash: [3, 3] },
    ],
    [series],
  );
  const cpu = useMemo<readonly ChartLine[]>(
    () => [{ name: text.cpu, color: "--cloche-accent", values: series.cpuMs }],
    [series, text],
  );
  const memory = useMemo<readonly ChartLine[]>(
    () => [{ name: text.memory, color: "--cloche-accent", values: series.memoryBytes }],
    [series, text],
  );
  const mostMemory = memoryBytes === undefined ? "–" : format.bytes(memoryBytes);
  const duration = (ms: number | undefined): string => (ms === undefined ? "–" : format.duration(ms));
  return (
    <>
      <dl className={classes.cards}>
        <Figure label={text.calls} value={format.number(calls)} />
        <Figure label={text.errors} value={format.number(errors)} isBad={errors > 0} />
        <Figure label={text.errorShare} value={format.percent(calls === 0 ? 0 : errors / calls)} isBad={errors > 0} />
        <Figure label={text.average} value={duration(averageMs)} />
        <Figure label={text.slowest} value={duration(slowestMs)} />
        <Figure label={text.coldStarts} value={format.number(coldStarts)} />
        <Figure label={text.cpu} value={format.duration(cpuMs)} />
        <Figure label={text.memory} value={mostMemory} />
      </dl>
      <Suspense fallback={<Skeleton h={320} />}>
        <Section title={text.calls}>
          <Chart
            label={text.callsChart(format.number(calls), format.number(errors))}
            times={series.times}
            lines={counts}
            kind="bars"
            unit="count"
          />
        </Section>
        <Section title={text.times}>
          <Chart
            label={text.timesChart(duration(slowestMs))}
            times={series.times}
            lines={times}
            kind="lines"
            unit="ms"
          />
        </Section>
        <Section title={text.cpu}>
          <Chart label={text.cpuChart(format.duration(cpuMs))} times={series.times} lines={cpu} kind="bars" unit="ms" />
        </Section>
        <Section title={text.memory}>
          <Chart label={text.memoryChart(mostMemory)} times={series.times} lines={memory} kind="lines" unit="bytes" />
        </Section>
      </Suspense>
    </>
  );
}

function Figure({ label, value, isBad = false }: { label: string; value: string; isBad?: boolean }) {
  return (
    <div className={`card ${classes.card}`}>
      <Text component="dt" size="xs" c="dimmed">
        {label}
      </Text>
      <dd className={classes.value} data-bad={isBad}>
        {value}
      </dd>
    </div>
  );
}
