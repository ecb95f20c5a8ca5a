// The disk of a server fills up while jobs come: what it cannot keep it refuses, what it has accepted it does once there is room again.
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Cluster } from "./cluster.ts";
import { type Fault, type FaultReport, ofJobs } from "./faults.ts";
import { JobLoad } from "./job-load.ts";

const DISK_MIB = 64;
const PIECE_BYTES = 4096;
const FULL_MS = 3_000;

/** A file system of its own, so small that it can be filled: needs root. */
class SmallDisk {
  readonly folder = mkdtempSync(join(tmpdir(), "cloche-disk-"));
  readonly #filler = join(this.folder, "filler");

  constructor() {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m,mode=711`, "tmpfs", this.folder]);
  }

  fill(): void {
    const file = openSync(this.#filler, "a");
    try {
      for (;;) writeSync(file, Buffer.alloc(PIECE_BYTES));
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code !== "ENOSPC") throw fault;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  dispose(): void {
    execFileSync("umount", ["-l", this.folder]);
    rmSync(this.folder, { recursive: true });
  }
}

async function run(nodes: number, times: number): Promise<FaultReport> {
  const disk = new SmallDisk();
  try {
    const cluster = await Cluster.start({
      ...{ nodes, store: nodes === 1 ? "sqlite" : "redis" },
      dataDir: (n) => (n === 0 ? disk.folder : undefined),
    });
    let load: JobLoad | undefined;
    try {
      load = await JobLoad.start(cluster.url);
      const recoveriesMs: number[] = [];
      for (let n = 0; n < times; n++) {
        await load.accepts(10);
        disk.fill();
        await delay(FULL_MS);
        disk.free();
        const freedAtMs = performance.now();
        await load.accepts(1);
        await load.settled();
        recoveriesMs.push(performance.now() - freedAtMs);
      }
      await load.stop();
      await load.settled();
      return ofJobs(await load.ledger(), recoveriesMs);
    } finally {
      load?.abandon();
      await cluster.dispose();
    }
  } finally {
    disk.dispose();
  }
}

export const DISK_FAULTS: readonly Fault[] = [
  { id: "disk-full-sqlite", title: "disk of the only server full for 3 s (SQLite)", run: (times) => run(1, times) },
  { id: "disk-full", title: "disk of one of three servers full for 3 s", run: (times) => run(3, times) },
];
