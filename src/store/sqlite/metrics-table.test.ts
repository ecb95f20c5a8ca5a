import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MetricsTable } from "./metrics-table.ts";
import { openDatabase } from "./open-database.ts";

const DAY_MS = 86_400_000;

test("minutes that are 100 days before the last one are removed, a bounded number at a time", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cloche-metrics-"));
  const opened = openDatabase(join(folder, "a.db"));
  t.after(async () => {
    opened.close();
    await rm(folder, { recursive: true });
  });
  const metrics = new MetricsTable(opened.database);
  const lastMs = 1_700_000_000_000;
  for (const days of [0, 99, 101, 102, 103]) {
    metrics.add(1, {
      queuedAtMs: lastMs - days * DAY_MS,
      ...{ runMs: 1, isError: false, coldStart: false, cpuMs: 1, peakKib: 1 },
    });
  }
  metrics.flush();

  const removed = [metrics.removeOld(2), metrics.removeOld(2), metrics.removeOld(2)];

  assert.deepEqual(removed, [2, 1, 0]);
  assert.equal(metrics.list(1, { fromMs: 0, toMs: 2 * lastMs, stepMs: 60_000 }).length, 2);
});
