// The real thing: needs root, or a delegated cgroup.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { sleep } from "../../core/clock.ts";
import type { Cgroup } from "./cgroup.ts";
import { folderName, readKeyed, readNumber, sweepDeadServers, tryRemove } from "./files.ts";
import { openCgroups } from "./open-cgroups.ts";
import { enterServerLeaf, outsideServerLeaf } from "./server-leaf.ts";

const MIB = 1024 * 1024;
const LIMITS = { memoryBytes: 64 * MIB, cpus: 0.5, pids: 20, tmpBytes: MIB };

const factory = openCgroups(true);
process.on("exit", () => factory.close());
const enforced = factory.enforces.memory;
const skip = enforced ? false : factory.title;

function create(t: TestContext, name: string): Cgroup {
  const cgroup = factory.create(name, LIMITS);
  t.after(async () => {
    cgroup.kill();
    while (!cgroup.remove()) await sleep(3);
  });
  return cgroup;
}

/** A shell that runs `script` once it is in the cgroup. */
function startIn(cgroup: Cgroup, script: string): ChildProcess {
  const child = spawn("/bin/sh", ["-c", `read -r _; ${script}`], { stdio: ["pipe", "ignore", "ignore"] });
  cgroup.add(child.pid ?? assert.fail());
  child.stdin?.end("go\n");
  return child;
}

/** The folders of a cgroup as the kernel tells them of one of its processes, by controller; v2 has one for all. */
function foldersOf(pid: number): (controller: string) => string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  return (controller) => {
    const v1 = lines.find((line) => line.split(":")[1] === controller)?.split(":")[2];
    const v2 = lines.find((line) => line.startsWith("0::"))?.slice(3);
    return factory.title === "cgroup v1"
      ? join("/sys/fs/cgroup", controller, v1 ?? "")
      : join("/sys/fs/cgroup", v2 ?? "");
  };
}

suite("a cgroup", { skip }, () => {
  test("holds the limits that it was made with, for all that its process starts", async (t) => {
    const cgroup = create(t, "limits");
    const child = startIn(cgroup, "sleep 60 & wait");
    const folder = foldersOf(child.pid ?? 0);
    const isV1 = factory.title === "cgroup v1";
    while ((readNumber(join(folder("pids"), "pids.current")) ?? 0) < 2) await sleep(3);

    assert.match(folder("pids"), /cloche-\d+-\d+\/limits$/);
    assert.equal(readNumber(join(folder("memory"), isV1 ? "memory.limit_in_bytes" : "memory.max")), 64 * MIB);
    assert.equal(readNumber(join(folder("pids"), "pids.max")), 20);
    if (isV1) assert.equal(readNumber(join(folder("cpu"), "cpu.cfs_quota_us")), 50_000);
    else assert.equal(readFileSync(join(folder("cpu"), "cpu.max"), "utf8"), "50000 100000\n");
    assert.ok((cgroup.memoryBytes() ?? 0) > 0);
  });

  test("cannot be removed while a process lives in it, and can be when all are killed", async (t) => {
    const cgroup = create(t, "kill");
    const child = startIn(cgroup, "sleep 60 & sleep 60 & wait");
    const folder = foldersOf(child.pid ?? 0)("pids");
    while ((readNumber(join(folder, "pids.current")) ?? 0) < 3) await sleep(3);
    const removedAlive = cgroup.remove();
    const exited = once(child, "exit");
    cgroup.kill();
    await exited;
    while (!cgroup.remove()) await sleep(3);

    assert.equal(removedAlive, false);
    assert.equal(child.signalCode, "SIGKILL");
    assert.equal(existsSync(folder), false);
    assert.equal(cgroup.remove(), true, "once more does no harm");
    assert.equal(cgroup.memoryBytes(), undefined);
  });

  test("tells that the kernel killed for memory, and the peak", async (t) => {
    const cgroup = create(t, "memory");
    const before = cgroup.outOfMemory();
    const child = startIn(cgroup, "exec tail /dev/zero");
    await once(child, "exit");

    assert.equal(before, false);
    assert.equal(cgroup.outOfMemory(), true);
    const peakBytes = cgroup.peakMemoryBytes();
    assert.ok(peakBytes === undefined || (peakBytes > 10 * MIB && peakBytes <= 64 * MIB));
  });
});

test("a server is moved beside its boxes, and back", { skip }, async (t) => {
  const cgroup = create(t, "around");
  const child = startIn(cgroup, "sleep 60");
  const pid = child.pid ?? assert.fail();
  const folder = foldersOf(pid)("cpu");
  const weight = existsSync(join(folder, "cpu.weight"))
    ? { file: "cpu.weight", value: 200 }
    : { file: "cpu.shares", value: 2048 };
  const leave = enterServerLeaf(folder, folder, [pid], weight);
  const beside = foldersOf(pid)("cpu");
  leave();
  const after = foldersOf(pid)("cpu");
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;

  assert.deepEqual([beside, after], [join(folder, "server"), folder]);
  assert.equal(readNumber(join(folder, weight.file)), weight.value);
  assert.equal(existsSync(beside), false);
  assert.equal(outsideServerLeaf(join("/sys/fs/cgroup/a", folderName(), "server")), "/sys/fs/cgroup/a");
  assert.equal(outsideServerLeaf("/sys/fs/cgroup/a"), "/sys/fs/cgroup/a");
});

test("the sweep removes what dead servers left, and nothing else", (t) => {
  const parent = mkdtempSync(join(tmpdir(), "cloche-sweep-"));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const dead = folderName(4_194_305); // beyond the largest pid that Linux gives
  const served = folderName(4_194_306); // its nursery is dead, the server is not
  for (const path of [`${dead}/7`, `${dead}/8`, `${folderName()}/1`, "cloche-x", "4194305"]) {
    mkdirSync(join(parent, path), { recursive: true });
  }
  mkdirSync(join(parent, served, "server"), { recursive: true });
  writeFileSync(join(parent, served, "server", "cgroup.procs"), "4194307\n");
  sweepDeadServers(parent);
  sweepDeadServers(join(parent, "nowhere"));

  assert.equal(existsSync(join(parent, dead)), false);
  for (const path of [`${folderName()}/1`, `${served}/server`, "cloche-x", "4194305"]) {
    assert.ok(existsSync(join(parent, path)), path);
  }
});

test("a counter that is not there is unknown, and a folder that is not there is removed", () => {
  assert.equal(readNumber("/no/such"), undefined);
  assert.equal(readKeyed("/no/such", "oom_kill"), undefined);
  assert.equal(readKeyed("/proc/self/io", "no_such_key"), undefined);
  assert.equal(tryRemove("/no/such"), true);
});
