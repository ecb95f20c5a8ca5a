// A running server, as its callers and the kernel see it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { serverGroups } from "./cgroups.mjs";

const BUSY_LIMIT_MS = 30_000;
const GONE_LIMIT_MS = 30_000;
const LIMITED = new Set(["memory", "cpu", "processes"]);

export class Client {
  url;
  pid;

  constructor(url, pid) {
    this.url = url;
    this.pid = pid;
  }

  async runNow(language, code) {
    const response = await fetch(`${this.url}/run-now`, { method: "POST", body: JSON.stringify({ language, code }) });
    return await response.text();
  }

  async system() {
    return await (await fetch(`${this.url}/api/system`)).json();
  }

  /** What it says of memory, CPU and processes, as `[inForce, detail]`. */
  async limits() {
    const { sandbox } = await this.system();
    const limits = sandbox.features.filter(({ name }) => LIMITED.has(name));
    return limits.map(({ inForce, detail }) => [inForce, detail]);
  }

  get nurseryPid() {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8").trim().split(" ");
    return Number(children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("nursery")));
  }

  /** The folder that its boxes' groups are in. */
  get group() {
    const { nurseryPid } = this;
    const groups = serverGroups();
    const group = groups.find((folder) => folder.includes(`/cloche-${nurseryPid}-`));
    assert.ok(group, `a group of nursery ${nurseryPid} among ${groups}`);
    return group;
  }

  /** The group of the one box that is at work, once there is one. */
  async busyBox() {
    for (const giveUpAtMs = Date.now() + BUSY_LIMIT_MS; Date.now() < giveUpAtMs; await delay(20)) {
      const { pool } = await this.system();
      const worker = pool.workers.find(({ state }) => state === "busy");
      if (worker !== undefined) return join(this.group, String(worker.id));
    }
    throw new Error("no box is at work");
  }
}

/** Waits until `left` finds nothing; fails with what stays. */
export async function nothingOf(left) {
  const giveUpAtMs = Date.now() + GONE_LIMIT_MS;
  while (left().length > 0 && Date.now() < giveUpAtMs) await delay(50);
  assert.deepEqual(left(), []);
}
