// A function's numbers over a time, one column a step: those without a call too, since a gap says something.
import type { MetricsStep } from "../../api/schema.ts";

const MINUTE_S = 60;
const HOUR_S = 3600;

/** How far back, and in which steps: about a hundred of them are readable. Seconds. */
export const RANGES = {
  "1h": { spanS: HOUR_S, stepS: MINUTE_S },
  "24h": { spanS: 24 * HOUR_S, stepS: 15 * MINUTE_S },
  "7d": { spanS: 7 * 24 * HOUR_S, stepS: 2 * HOUR_S },
  "30d": { spanS: 30 * 24 * HOUR_S, stepS: 6 * HOUR_S },
} as const;
export type Range = keyof typeof RANGES;
export const RANGE_NAMES = Object.keys(RANGES) as Range[];

type Column = readonly (number | null)[];

export interface Series {
  /** Seconds since 1970, the beginning of each step. */
  readonly times: readonly number[];
  readonly calls: Column;
  readonly errors: Column;
  /** Milliseconds; null where nothing was called. */
  readonly p50: Column;
  readonly p95: Column;
  readonly p99: Column;
  /** Milliseconds of CPU of all calls of a step together. */
  readonly cpuMs: Column;
  /** The most that a worker had held; null where nobody knows. */
  readonly memoryBytes: Column;
}

export interface Totals {
  readonly calls: number;
  readonly errors: number;
  readonly coldStarts: number;
  /** Milliseconds; undefined without calls. */
  readonly averageMs: number | undefined;
  readonly slowestMs: number | undefined;
  readonly cpuMs: number;
  /** Undefined where nobody knows. */
  readonly memoryBytes: number | undefined;
}

/** @param items the steps in which something was called */
export function seriesOf(items: readonly MetricsStep[], fromMs: number, toMs: number, stepS: number): Series {
  const byTime = new Map(items.map((item) => [Date.parse(item.from) / 1000, item]));
  const times: number[] = [];
  for (let at = Math.floor(fromMs / 1000 / stepS) * stepS; at < toMs / 1000; at += stepS) times.push(at);
  const column = (value: (item: MetricsStep) => number | undefined, without: number | null): Column =>
    times.map((time) => {
      const item = byTime.get(time);
      return item === undefined ? without : (value(item) ?? without);
    });
  return {
    times,
    calls: column((item) => item.calls, 0),
    errors: column((item) => item.errors, 0),
    p50: column((item) => item.p50Ms, null),
    p95: column((item) => item.p95Ms, null),
    p99: column((item) => item.p99Ms, null),
    cpuMs: column((item) => item.cpuMs, 0),
    memoryBytes: column((item) => item.peakMemoryBytes, null),
  };
}

export function totalsOf(items: readonly MetricsStep[]): Totals {
  const sum = (value: (item: MetricsStep) => number): number => items.reduce((all, item) => all + value(item), 0);
  const calls = sum((item) => item.calls);
  return {
    calls,
    errors: sum((item) => item.errors),
    coldStarts: sum((item) => item.coldStarts),
    averageMs: calls === 0 ? undefined : sum((item) => (item.runMsAverage ?? 0) * item.calls) / calls,
    slowestMs: calls === 0 ? undefined : Math.max(...items.map((item) => item.runMsMax ?? 0)),
    cpuMs: sum((item) => item.cpuMs),
    memoryBytes: Math.max(0, ...items.map((item) => item.peakMemoryBytes ?? 0)) || undefined,
  };
}
