import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { SoftLimits } from "./soft.ts";

const MIB = 1024 * 1024;
const LIMITS = { memoryBytes: 100 * MIB, cpus: 1, pids: 20, tmpBytes: MIB };
const EAT = "const eaten = []; setInterval(() => eaten.push(Buffer.alloc(20_000_000, 1)), 20)";

/** A shell with a child that runs `code`, as a launcher has the box below it. */
function launcher(t: TestContext, code: string): ChildProcess & { readonly pid: number } {
  const child = spawn("/bin/sh", ["-c", '"$0" -e "$1" & wait $!', process.execPath, code], {
    stdio: "ignore",
    detached: true, // a process group of its own, which can be ended as a whole
  });
  const { pid } = child;
  assert.ok(pid !== undefined);
  t.after(() => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // All of it has ended.
    }
  });
  return Object.assign(child, { pid });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code));
  });
}

function watching(t: TestContext): SoftLimits {
  const factory = new SoftLimits("no cgroups (why)", true);
  t.after(() => factory.close());
  return factory;
}

test("a box that takes more memory than its limit is killed, its launcher is not", async (t) => {
  const box = watching(t).create("1", LIMITS);
  const child = launcher(t, EAT);
  box.add(child.pid);
  const keepAlive = setInterval(() => {}, 1000); // the watchdog itself keeps no process alive
  const code = await exitOf(child);
  clearInterval(keepAlive);

  assert.equal(code, 128 + 9); // the shell lived to tell how its child died
  assert.equal(box.outOfMemory(), true);
  assert.ok((box.peakMemoryBytes() ?? 0) > LIMITS.memoryBytes);
  assert.equal(box.remove(), true);
});

test("a box is measured with all its processes, and killed with all of them", async (t) => {
  const box = watching(t).create("1", { ...LIMITS, memoryBytes: 4096 * MIB });
  const child = launcher(t, "globalThis.kept = Buffer.alloc(50_000_000, 1); setInterval(() => {}, 1000)");
  box.add(child.pid);
  for (let bytes = 0; bytes < 50_000_000; bytes = box.memoryBytes() ?? 0) {
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
  box.kill();
  const code = await exitOf(child);

  assert.equal(code, 128 + 9);
  assert.equal(box.outOfMemory(), false);
});

test("processes are counted in the box's own user namespace where its user is shared", (t) => {
  const factory = new SoftLimits("no cgroups (why)", false);
  const box = factory.create("1", LIMITS);
  const child = launcher(t, "setInterval(() => {}, 1000)");
  box.onHeld?.(child.pid);

  assert.equal(factory.held, true);
  assert.match(readFileSync(`/proc/${child.pid}/limits`, "utf8"), /^Max processes\s+20\s+20\s/m);
});

test("says what it is and what it does not enforce", (t) => {
  const factory = watching(t);

  assert.deepEqual(factory.enforces, { memory: false, pids: false, cpu: false });
  assert.match(factory.title, /^soft limits: memory by a watchdog every 50 ms, processes counted; no cgroups \(why\)$/);
  assert.equal(factory.held, false);
});
