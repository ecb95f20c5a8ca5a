// What does the launcher cost: all that stands between a program and the host, against a bare `bwrap --unshare-all`?
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BaseImage } from "../src/core/base-image.ts";
import { NurserySandbox } from "../src/sandbox/nursery-sandbox.ts";
import { findBubblewrap } from "../src/sandbox/find-bubblewrap.ts";
import { onStop } from "./processes.ts";
import { median, percentile } from "./stats.ts";
import { ms, type Row, type Table } from "./table.ts";

const ROUNDS = 5;
const LAUNCHES_A_ROUND = 40;
const MOST_ADDED_MS = 3;
const MIB = 1024 * 1024;
const LIMITS = { memoryBytes: 64 * MIB, cpus: 2, pids: 64, tmpBytes: MIB };
const UID = 60_000; // neither is root outside
const TRUE = "/bin/true";

const IMAGE: BaseImage = {
  base: "true",
  command: [TRUE],
  copies: [{ from: TRUE, to: TRUE }],
  binds: [],
  devices: [],
  librariesOf: [TRUE],
  env: { PATH: "/bin" },
};

export async function launch(): Promise<Table[]> {
  const dir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  const settings = {
    images: [IMAGE],
    limits: LIMITS,
    rootsDir: join(dir, "roots"),
    allowSoftLimits: true,
    maxBoxes: 4,
  };
  const sandbox = await NurserySandbox.open(settings, () => {});
  const close = onStop(async () => {
    await sandbox.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const bwrap = findBubblewrap().path;
  const bare = ["--unshare-all", "--ro-bind", "/", "/"];
  const alone = new Samples(() => run(TRUE, []));
  const unshared = new Samples(() => run(bwrap, [...bare, TRUE]));
  const mounted = new Samples(() => run(bwrap, [...bare, "--dev", "/dev", "--proc", "/proc", TRUE]));
  const ours = new Samples(async () => {
    const box = await sandbox.launch(IMAGE.base);
    box.control.resume();
    await box.ended;
  });
  // In blocks: entering a cgroup after a pause makes the kernel wait for all cores once, 20 ms, whoever does it.
  for (let round = 0; round < ROUNDS; round++) {
    for (const samples of [alone, unshared, mounted, ours]) await samples.take(LAUNCHES_A_ROUND);
  }
  await close();
  const addedMs = ours.p50 - unshared.p50;
  const rows: Row[] = [
    {
      what: `${TRUE} in a box, until nothing of it is left`,
      ours: ours.text,
      rivals: `bwrap with --dev and --proc ${mounted.text}`,
      limit: `bare bwrap --unshare-all ${unshared.text}, no box ${alone.text}`,
    },
    {
      what: "  added: cgroup, user, rlimits, seccomp, devices, masks, hand-over",
      ours: ms(addedMs),
      target: `≤ ${ms(MOST_ADDED_MS)}`,
      ok: addedMs <= MOST_ADDED_MS,
    },
  ];
  return [{ title: `One box from start to end, p50 / p99 of ${ROUNDS * LAUNCHES_A_ROUND}`, rows }];
}

class Samples {
  readonly #once: () => Promise<void>;
  readonly #tookMs: number[] = [];

  constructor(once: () => Promise<void>) {
    this.#once = once;
  }

  async take(count: number): Promise<void> {
    for (let taken = 0; taken < count; taken++) {
      const startedMs = performance.now();
      await this.#once();
      this.#tookMs.push(performance.now() - startedMs);
    }
  }

  get p50(): number {
    return median(this.#tookMs);
  }

  get text(): string {
    return `${ms(this.p50)} / ${ms(percentile(this.#tookMs, 0.99))}`;
  }
}

function run(command: string, args: readonly string[]): Promise<void> {
  const asOther = process.getuid?.() === 0 ? { uid: UID, gid: UID } : {};
  const child = spawn(command, [...args], { stdio: "ignore", env: {}, cwd: "/", ...asOther });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${code}`));
    });
  });
}
