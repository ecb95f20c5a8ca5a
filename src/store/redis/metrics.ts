import { Histogram } from "../histogram.ts";
import type { MetricsBucket, Store } from "../store.ts";
import type { Keyspace } from "./keyspace.ts";
import type { RedisConnection } from "./redis-connection.ts";

const MINUTE_MS = 60_000;

interface Sum {
  calls: number;
  errors: number;
  coldStarts: number;
  runMsSum: number;
  runMsMax: number;
  cpuMsSum: number;
  peakMemoryBytes: number;
  readonly histogram: Histogram;
}

/** Calls of each function by minute, as append-executions.lua counts them. */
export class Metrics {
  readonly #connection: RedisConnection;
  readonly #key: string;

  constructor(connection: RedisConnection, keyspace: Keyspace) {
    this.#connection = connection;
    this.#key = keyspace.executions;
  }

  async read(functionId: string, { fromMs, toMs, stepMs }: Parameters<Store["metrics"]>[1]): Promise<MetricsBucket[]> {
    const minutes = [Math.floor(fromMs / MINUTE_MS), Math.ceil(toMs / MINUTE_MS)];
    const reply = (await this.#connection.run("metrics", this.#key, [functionId, ...minutes])) as string[];
    const sums = new Map<number, Sum>();
    for (let at = 0; at < reply.length; at += 2) {
      const stepFromMs = Math.floor((Number(reply[at]) * MINUTE_MS) / stepMs) * stepMs;
      const sum = sums.get(stepFromMs) ?? newSum();
      addMinute(sum, reply[at + 1] ?? "");
      sums.set(stepFromMs, sum);
    }
    return [...sums].toSorted(([a], [b]) => a - b).map(([stepFromMs, sum]) => toBucket(stepFromMs, sum));
  }
}

function newSum(): Sum {
  return {
    calls: 0,
    errors: 0,
    coldStarts: 0,
    runMsSum: 0,
    runMsMax: 0,
    cpuMsSum: 0,
    peakMemoryBytes: 0,
    histogram: new Histogram(),
  };
}

function addMinute(sum: Sum, text: string): void {
  const [calls, errors, coldStarts, runMsSum, runMsMax, cpuMsSum, peakBytes, buckets = ""] = text.split(" ");
  sum.calls += Number(calls);
  sum.errors += Number(errors);
  sum.coldStarts += Number(coldStarts);
  sum.runMsSum += Number(runMsSum);
  sum.runMsMax = Math.max(sum.runMsMax, Number(runMsMax));
  sum.cpuMsSum += Number(cpuMsSum);
  sum.peakMemoryBytes = Math.max(sum.peakMemoryBytes, Number(peakBytes));
  for (const [, bucket, times] of buckets.matchAll(/(\d+):(\d+)/g))
    sum.histogram.addCount(Number(bucket), Number(times));
}

function toBucket(fromMs: number, { histogram, ...sums }: Sum): MetricsBucket {
  const [p50Ms, p95Ms, p99Ms] = histogram.quantilesMs([0.5, 0.95, 0.99]);
  return { fromMs, ...sums, p50Ms, p95Ms, p99Ms };
}
