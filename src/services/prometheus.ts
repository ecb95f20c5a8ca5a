// The numbers of the server in Prometheus' text format. Loaded at the first scrape.
import { Counter, Gauge, type Metric, Registry } from "prom-client";
import type { JobCounts, Queue } from "../queue/queue.ts";
import type { Pool, PoolReport } from "../pool/pool.ts";
import type { Catalog } from "./catalog.ts";
import { BUCKETS_MS, type CountedHistory, type Histogram } from "./run-counters.ts";

export interface PrometheusParts {
  readonly pool: Pool;
  readonly history: CountedHistory;
  readonly catalog: Catalog;
  readonly queue: Pick<Queue, "stats" | "countDue">;
  readonly version: string;
}

export interface Scrape {
  readonly contentType: string;
  readonly text: string;
}

/** Makes what answers each scrape. Every label is of a small, fixed set. */
export function prometheus(parts: PrometheusParts): () => Promise<Scrape> {
  const { pool, history, catalog, queue, version } = parts;
  const { counters } = history;
  const registry = new Registry();
  const registers = [registry];
  let jobs: { readonly byStatus: JobCounts; readonly due: number } | undefined;
  let report: PoolReport = { maxWorkers: 0, waiting: 0, maxQueue: 0, workers: [] };

  function gauge(name: string, help: string, read: () => number): void {
    void new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  }

  function counter(name: string, help: string, read: () => number): void {
    void new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  void new Gauge({
    ...{ name: "cloche_build_info", help: "Always 1; the version is its label.", labelNames: ["version"], registers },
    collect() {
      this.set({ version }, 1);
    },
  });
  void new Counter({
    name: "cloche_executions_total",
    help: "Executions that are over, by how they ended.",
    ...{ labelNames: ["trigger", "status", "language"], registers },
    collect() {
      this.reset();
      for (const { count, ...labels } of counters.byStatus) this.inc(labels, count);
    },
  });
  counter("cloche_cold_starts_total", "Executions that no warm worker could take.", () => counters.coldStarts);
  counter("cloche_lost_executions_total", "Executions whose record was lost.", () => history.lostRows);
  histogram(registry, "cloche_run_duration_seconds", "How long the code ran.", counters.runs);
  histogram(registry, "cloche_wait_duration_seconds", "How long a run waited for a worker.", counters.waits);
  void new Gauge({
    name: "cloche_workers",
    help: "Sandboxes by base and state.",
    ...{ labelNames: ["base", "state"], registers },
    collect() {
      this.reset();
      for (const { base, state } of report.workers) this.inc({ base, state });
    },
  });
  gauge("cloche_workers_max", "Sandboxes that may live at once.", () => report.maxWorkers);
  gauge("cloche_queue_length", "Runs that wait for a sandbox.", () => report.waiting);
  gauge("cloche_queue_length_max", "Runs that may wait.", () => report.maxQueue);
  void new Gauge({
    name: "cloche_jobs",
    help: "Jobs by status, the same at every server on one store; none where the store does not answer.",
    ...{ labelNames: ["status"], registers },
    collect() {
      this.reset();
      for (const [status, count] of Object.entries(jobs?.byStatus ?? {})) this.set({ status }, count);
    },
  });
  void new Gauge({
    name: "cloche_jobs_due",
    help: "Jobs that wait for nothing but a server with room, the same at every server on one store.",
    registers,
    collect() {
      if (jobs === undefined) this.remove();
      else this.set(jobs.due);
    },
  });
  gauge("cloche_functions", "Functions that are there.", () => catalog.size);
  gauge("process_resident_memory_bytes", "Memory of the server without its sandboxes.", () =>
    process.memoryUsage.rss(),
  );

  return async () => {
    [report, jobs] = await Promise.all([pool.report(), countJobs(queue), history.settle()]);
    return { contentType: registry.contentType, text: await registry.metrics() };
  };
}

/** @returns undefined where the store does not answer: the other numbers are wanted all the more then */
async function countJobs(queue: PrometheusParts["queue"]): Promise<{ byStatus: JobCounts; due: number } | undefined> {
  try {
    const [byStatus, due] = await Promise.all([queue.stats(), queue.countDue()]);
    return { byStatus, due };
  } catch {
    return undefined;
  }
}

interface Sample {
  readonly metricName: string;
  readonly labels: { readonly trigger: string; readonly le?: number | string };
  readonly value: number;
}

/** Histograms that are counted elsewhere: the library's own wants to see each value when it comes. */
function histogram(registry: Registry, name: string, help: string, byTrigger: ReadonlyMap<string, Histogram>): void {
  const metric = {
    ...{ name, help, type: "histogram", aggregator: "sum" },
    reset: () => {},
    get: async () => ({
      ...{ name, help, type: "histogram", aggregator: "sum" },
      values: [...byTrigger].flatMap(([trigger, { counts, sumMs, count }]) => {
        let upTo = 0;
        const buckets = BUCKETS_MS.map((boundMs, place): Sample => {
          upTo += counts[place] ?? 0;
          return { metricName: `${name}_bucket`, labels: { le: boundMs / 1000, trigger }, value: upTo };
        });
        return buckets.concat([
          { metricName: `${name}_bucket`, labels: { le: "+Inf", trigger }, value: count },
          { metricName: `${name}_sum`, labels: { trigger }, value: sumMs / 1000 },
          { metricName: `${name}_count`, labels: { trigger }, value: count },
        ]);
      }),
    }),
  };
  registry.registerMetric(metric as unknown as Metric); // it asks for nothing but these
}
