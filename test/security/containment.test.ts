// How fast and how completely attacks end. Times are measured from event to event; of three tries the best counts, since a
// machine that is busy with something else can only make them longer.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { BaseImage } from "../../src/core/base-image.ts";
import { findPythonRuntime } from "../../src/runtimes/python/runtime.ts";
import { folderName } from "../../src/sandbox/cgroup/files.ts";
import { NurserySandbox } from "../../src/sandbox/nursery-sandbox.ts";
import type { SandboxedProcess } from "../../src/sandbox/sandbox.ts";
import { startAttacked } from "./attacked-server.ts";
import { dedent, eventually } from "./attacker.ts";
import { Guard } from "./guard.ts";

const MIB = 1024 * 1024;
const TRIES = 3;

/** Fails unless one of the tries takes no more than the limit. */
async function withinMs(limitMs: number, tryOnce: () => Promise<number>, tries = TRIES): Promise<void> {
  const triesMs: number[] = [];
  while (triesMs.length < tries) {
    triesMs.push(await tryOnce());
    if ((triesMs.at(-1) ?? Infinity) <= limitMs) return;
  }
  assert.fail(`took ${triesMs.map((ms) => ms.toFixed(1)).join(", ")} ms; ${limitMs} ms are allowed`);
}

const DEAF = `
import os, signal, sys, time
for number in range(1, 32):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
`;
const PROGRAMS = {
  "fork bomb": `${DEAF}
while True:
    try:
        if os.fork() == 0: os.setsid()
    except OSError: pass
`,
  sleeper: `${DEAF}\nprint('ready', flush=True)\ntime.sleep(600)`,
  "busy loop": `${DEAF}\nprint('ready', flush=True)\nwhile True: pass`,
  "stopped process": `${DEAF}
if os.fork() == 0: time.sleep(600)
print('ready', flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
os.kill(0, signal.SIGSTOP)
time.sleep(600)
`,
  "thread swarm": `
import threading, time
for n in range(40): threading.Thread(target=lambda: time.sleep(600), daemon=True).start()
print('ready', flush=True)
time.sleep(600)
`,
};

suite("a box that is killed", () => {
  const dir = mkdtempSync(join(tmpdir(), "cloche-contained-"));
  const guard = new Guard();
  let sandbox: NurserySandbox;
  before(async () => {
    const search = findPythonRuntime();
    assert.ok(search.found);
    const { image } = search.runtime;
    const [interpreter = ""] = image.command;
    const images: BaseImage[] = [];
    for (const [base, code] of Object.entries(PROGRAMS))
      images.push({ ...image, base, command: [interpreter, "-c", dedent(code)] });
    sandbox = await guard.around(() =>
      NurserySandbox.open(
        {
          images,
          limits: { memoryBytes: 128 * MIB, cpus: 1, pids: 64, tmpBytes: MIB },
          rootsDir: join(dir, "boxes"),
          allowSoftLimits: false,
          maxBoxes: 2,
        },
        (reason) => assert.fail(reason),
      ),
    );
  });
  after(async () => {
    await sandbox.close();
    rmSync(dir, { recursive: true, force: true });
    await guard.remove();
  });

  /** Milliseconds from the kill until nothing of the box is left: no process, no cgroup. */
  async function killMs(box: SandboxedProcess): Promise<number> {
    const startedMs = performance.now();
    box.kill();
    await box.ended;
    return performance.now() - startedMs;
  }

  async function launchReady(base: string): Promise<SandboxedProcess> {
    const box = await sandbox.launch(base);
    for (const socket of [box.control, box.stdout, box.stderr]) socket.on("error", () => {});
    box.stderr.resume();
    let told = "";
    box.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
    if (base !== "fork bomb") await eventually(`the ${base} is ready`, () => told === "ready\n");
    return box;
  }

  test("RES-01, HST-04: a fork bomb at its limit is gone 50 ms after the kill", async () => {
    const detonate = async (): Promise<number> => {
      const box = await launchReady("fork bomb");
      await eventually("the bomb is at its limit", () => processesIn(box.id) >= 64);
      return await killMs(box);
    };
    await withinMs(50, detonate, 10); // 64 processes need the CPU to die: other work on the machine shows most here
  });

  for (const base of ["sleeper", "busy loop", "stopped process", "thread swarm"]) {
    test(`RES-10: a ${base} that is deaf to signals is gone 20 ms after the kill`, async () => {
      await withinMs(20, async () => await killMs(await launchReady(base)));
    });
  }

  test("TEN-05: leaves no process of its user when it is told to have ended, and only then is the user lent again", async () => {
    for (let round = 0; round < 3; round++) {
      const box = await launchReady("fork bomb");
      await eventually("the bomb is at its limit", () => processesIn(box.id) >= 64);
      const uids = new Set(pidsIn(box.id).map(uidOf));
      await killMs(box);

      const left = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && uids.has(uidOf(Number(name))));
      assert.deepEqual(left, []);
    }
  });

  /** Host pids in the cgroup of a box; there is one nursery below this guard. */
  function pidsIn(id: number): number[] {
    try {
      return readFileSync(join(boxesFolder(), String(id), "cgroup.procs"), "utf8")
        .split("\n")
        .filter(Boolean)
        .map(Number);
    } catch {
      return [];
    }
  }

  function processesIn(id: number): number {
    return pidsIn(id).length;
  }

  function boxesFolder(): string {
    const own = readFileSync("/proc/self/cgroup", "utf8");
    const path = /:pids:(.*)$/m.exec(own)?.[1] ?? /^0::(.*)$/m.exec(own)?.[1] ?? "";
    const root = /:pids:/.test(own) ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup";
    const inGuard = join(root, path, folderName(), "guard");
    return join(inGuard, readdirSync(inGuard).find((name) => name.startsWith("cloche-")) ?? "");
  }
});

function uidOf(pid: number): number {
  try {
    return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return -1;
  }
}

/** A zombie is dead: it waits only for its new parent to look at it. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

suite("a server", () => {
  test("DAT-02, ESC-24: that is killed leaves no process of any box after 100 ms, however deaf they are", async () => {
    await withinMs(
      100,
      async () => {
        const server = await startAttacked({ MAX_CONTAINERS: "3" });
        const code = `${DEAF}\nos.fork(); os.fork(); os.fork()\ntime.sleep(60)`;
        for (const n of [1, 2]) server.runNow({ language: "python", code: `${code} # ${n}` }).catch(() => {});
        await eventually("two functions have forked", () => server.boxPids().length >= 18);
        const pids = [...server.boxPids(), server.nurseryPid];
        const startedMs = performance.now();
        server.process.kill("SIGKILL");
        while (pids.some(isAlive) && performance.now() - startedMs < 3000) await new Promise(setImmediate);
        const tookMs = performance.now() - startedMs;
        await server.bury();
        return tookMs;
      },
      10,
    ); // twenty processes need the CPU to die
  });

  test("DAT-02: that is killed while it starts boxes leaves neither these nor the process that starts them", async () => {
    for (const delayMs of [0, 6, 12, 18]) {
      const server = await startAttacked({ MAX_CONTAINERS: "8" });
      const { nurseryPid } = server;
      for (let n = 0; n < 8; n++) server.runNow({ language: "python", code: `return ${n}` }).catch(() => {});
      await delay(delayMs); // somewhere among the boots: a socket is on its way from the nursery to the server at any time
      server.process.kill("SIGKILL");
      await server.exited;
      await eventually("the nursery has ended, and all boxes with it", () => {
        return !isAlive(nurseryPid) && server.boxPids().length === 0;
      });
      await server.bury();
    }
  });

  test("RES-10: answers a run that is over its time, and has nothing left of its box, 20 ms later", async () => {
    const server = await startAttacked({ TIMEOUT_SCRIPT: "0.3", MAX_CONTAINERS: "3" });
    try {
      await server.upload("spins", "python", 'while event["spin"]: pass');
      await withinMs(20, async () => {
        await server.run("spins", { spin: false }); // a warm worker: its start is not what is measured
        const { workers } = (await server.settled()).pool;
        const own = workers.find(({ version }) => version?.startsWith("spins@") === true)?.id;
        assert.ok(own !== undefined && server.boxes().includes(String(own)));
        const startedMs = performance.now();
        const { status, text } = await server.run("spins", { spin: true });
        assert.equal(status, 504, text);
        while (server.boxes().includes(String(own))) await new Promise(setImmediate);
        return performance.now() - startedMs - 300;
      });
    } finally {
      await server.dispose();
    }
  });
});
