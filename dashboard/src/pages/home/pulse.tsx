// What ended in the last quarter of an hour, in four numbers with their pictures.
import { SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Operations } from "../../api/schema.ts";
import type { System } from "../../api/system.ts";
import { SparkLine } from "../../components/spark-line.tsx";
import { useFormat } from "../../i18n/format.ts";
import { homeMessages } from "../../messages/home.ts";
import classes from "./pulse.module.css";

export type Recent = Operations["readRecentMetrics"]["response"];
type Step = Recent["items"][number];

/** Steps that are shown as one bar: a bar of 5 s would be thinner than a line. */
const JOINED = 3;

export function Pulse({ recent, system }: { recent: Recent | undefined; system: System }) {
  const text = homeMessages.use();
  const format = useFormat();
  const steps = joined(recent?.items ?? []);
  const calls = sum(steps, "calls");
  const errors = sum(steps, "errors");
  const lastP95 = steps.findLast(({ p95Ms }) => p95Ms !== undefined)?.p95Ms;
  const { waiting, maxQueue } = system.pool;
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md" component="section" aria-label={text.pulse}>
      <Number name={text.calls} value={format.number(calls)} detail={text.lastQuarter}>
        <SparkLine values={steps.map((step) => step.calls)} label={text.callsChart} />
      </Number>
      <Number
        name={text.errors}
        value={calls === 0 ? "0" : format.percent(errors / calls)}
        detail={text.failed(errors)}
        isBad={errors > 0}
      >
        <SparkLine values={steps.map(() => 0)} bad={steps.map((step) => step.errors)} label={text.errorsChart} />
      </Number>
      <Number name={text.latency} value={lastP95 === undefined ? "–" : format.duration(lastP95)} detail={text.p95}>
        <SparkLine values={steps.map(({ p95Ms = 0 }) => p95Ms)} label={text.latencyChart} />
      </Number>
      <Number
        name={text.line}
        value={format.number(waiting)}
        detail={waiting === 0 ? text.nobodyWaits : text.lineOf(maxQueue)}
        isBad={waiting > maxQueue / 2}
      >
        <Line waiting={waiting} />
      </Number>
    </SimpleGrid>
  );
}

interface NumberProps {
  readonly name: string;
  readonly value: string;
  readonly detail: string;
  readonly isBad?: boolean;
  readonly children: ReactNode;
}

function Number({ name, value, detail, isBad = false, children }: NumberProps) {
  return (
    <div className={`card ${classes.number}`}>
      <Text size="sm" c="dimmed" component="h2">
        {name}
      </Text>
      <div className={classes.value} data-bad={isBad}>
        {value}
      </div>
      <div className={classes.picture}>{children}</div>
      <Text size="xs" c="dimmed">
        {detail}
      </Text>
    </div>
  );
}

const MAX_DOTS = 24;

/** Everyone who waits is a dot. */
function Line({ waiting }: { waiting: number }) {
  return (
    <div className={classes.line} aria-hidden="true">
      {Array.from({ length: Math.min(waiting, MAX_DOTS) }, (_none, place) => (
        <span key={place} />
      ))}
      {waiting > MAX_DOTS ? "…" : null}
    </div>
  );
}

function sum(steps: readonly Step[], name: "calls" | "errors"): number {
  return steps.reduce((all, step) => all + step[name], 0);
}

function joined(steps: readonly Step[]): Step[] {
  const groups: Step[] = [];
  for (let place = 0; place < steps.length; place += JOINED) {
    const group = steps.slice(place, place + JOINED);
    const p95s = group.flatMap(({ p95Ms }) => p95Ms ?? []);
    groups.push({
      from: group[0]?.from ?? "",
      calls: sum(group, "calls"),
      errors: sum(group, "errors"),
      coldStarts: 0,
      p95Ms: p95s.length === 0 ? undefined : Math.max(...p95s),
    });
  }
  return groups;
}
