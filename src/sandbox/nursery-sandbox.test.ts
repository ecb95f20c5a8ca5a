import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { suite, test, type TestContext } from "node:test";
import type { BaseImage } from "../core/base-image.ts";
import { sleep } from "../core/clock.ts";
import { folderName, pidsIn, sweepDeadServers, tryWrite } from "./cgroup/files.ts";
import { NurserySandbox } from "./nursery-sandbox.ts";
import { ownMark } from "./process-mark.ts";
import { sandboxContract } from "./sandbox.contract.ts";

const MIB = 1024 * 1024;
const PROGRAM: BaseImage = {
  base: "node",
  command: ["/rt/node", "/boxed.cjs"],
  copies: [{ from: join(import.meta.dirname, "fixtures/boxed.cjs"), to: "/boxed.cjs" }],
  binds: [{ from: process.execPath, to: "/rt/node" }],
  devices: [],
  librariesOf: [process.execPath],
  env: { PATH: "/rt" },
};

type Settings = Parameters<typeof NurserySandbox.open>[0];

const dir = mkdtempSync(join(tmpdir(), "cloche-nursery-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
let roots = 0;

function settings(change: Partial<Settings> = {}): Settings {
  return {
    images: [PROGRAM],
    limits: { memoryBytes: 96 * MIB, cpus: 2, pids: 64, tmpBytes: MIB },
    rootsDir: join(dir, `roots-${++roots}`),
    allowSoftLimits: false,
    maxBoxes: 4,
    ...change,
  };
}

/** Opens a sandbox and tells the folders of its cgroups, in every hierarchy of this machine. */
function openSeen(change: Partial<Settings> = {}): {
  opened: Promise<NurserySandbox>;
  folders: () => string[];
  roots: () => string[];
  pid: number;
} {
  const before = new Set(children());
  const own = settings(change);
  const opened = NurserySandbox.open(own, () => {});
  const nursery = children().find((pid) => !before.has(pid)); // it was forked at once
  const places = readFileSync("/proc/self/cgroup", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, controllers = "", path = ""] = line.split(":");
      return [join("/sys/fs/cgroup", controllers, path), join("/sys/fs/cgroup", controllers), "/sys/fs/cgroup"];
    });
  const candidates = [...new Set(places.map((place) => join(place, folderName(Number(nursery)))))];
  const rootsPlaces = [own.rootsDir, join("/var/lib/cloche-boxes", ownMark(Number(nursery)))]; // the second one where root starts it
  return {
    opened,
    folders: () => candidates.filter((folder) => existsSync(folder)),
    roots: () => rootsPlaces.filter((place) => existsSync(place)),
    pid: Number(nursery),
  };
}

function children(): string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

sandboxContract(async () => {
  const { opened, folders } = openSeen();
  const sandbox = await opened;
  const boxes = (): string[] =>
    folders().flatMap((folder) =>
      list(folder)
        .filter((name) => /^\d+$/.test(name))
        .map((name) => join(folder, name)),
    );
  return { sandbox, traces: boxes, pids: () => [...new Set(boxes().flatMap(pidsIn))] };
});

suite("a nursery", () => {
  test("leaves neither cgroups nor roots when it is closed", async () => {
    const { opened, folders, roots } = openSeen();
    const sandbox = await opened;
    const whileOpen = [folders().length > 0, roots().length];
    await sandbox.close();

    assert.deepEqual(whileOpen, [true, 1]);
    assert.deepEqual([...folders(), ...roots()], []);
  });

  test("says what protects the host", async (t) => {
    const sandbox = await openFor(t);
    const inForce = new Set(sandbox.features.filter((feature) => feature.inForce).map(({ name }) => name));

    for (const name of ["namespaces", "network", "files", "capabilities", "user", "memory", "cpu", "processes"]) {
      assert.ok(inForce.has(name), name);
    }
  });

  test("refuses one box more than it may hold, and lives on", async (t) => {
    const sandbox = await openFor(t, { maxBoxes: 1 });
    const first = await sandbox.launch("node");
    const second = await sandbox.launch("node").then(
      () => "started",
      (error: { code: string }) => error.code,
    );
    first.kill();
    await first.ended;
    const third = await sandbox.launch("node");

    assert.equal(second, process.getuid?.() === 0 ? "SANDBOX_START_FAILED" : "started");
    assert.ok(third.id > first.id);
  });

  test("gives the boxes of a base its own limits and calls, and those of others everybody's", async (t) => {
    const program = `
      const fs = require("node:fs");
      const net = require("node:net");
      let bytes = 0;
      try { for (;;) bytes += fs.writeSync(fs.openSync("/tmp/file", "a"), Buffer.alloc(65536)); } catch {}
      const server = net.createServer().listen(0, "127.0.0.1", () => end("loopback")).on("error", (error) => end(error.code));
      function end(word) { console.log(bytes / 1048576, word); process.exit(0); }
    `;
    const plain = { ...PROGRAM, base: "plain", command: ["/rt/node", "-e", program] };
    const special = { ...plain, base: "special", limits: { tmpBytes: 3 * MIB }, extraCalls: { loopback: true } };
    const sandbox = await openFor(t, { images: [plain, special] });
    const printed: string[] = [];
    for (const base of ["plain", "special"]) {
      const box = await sandbox.launch(base);
      printed.push(await text(box.stdout));
      await box.ended;
    }

    assert.deepEqual(printed, ["1 EAFNOSUPPORT\n", "3 loopback\n"]);
  });

  test("lets the server go before boxes in the background, where none starves; a box begins there", async (t) => {
    const spin = { ...PROGRAM, base: "spin", command: ["/rt/node", "-e", "for (;;);"] };
    const { opened, folders } = openSeen({ images: [spin] });
    const sandbox = await opened;
    t.after(() => sandbox.close());
    const box = await sandbox.launch("spin");
    const pids = (): number[] => folders().flatMap((folder) => pidsIn(join(folder, String(box.id))));
    while (pids().length < 2) await sleep(3);
    const server = startSpinning(t); // inherits the place of this process, which is the nursery's server
    for (const pid of [...pids(), server]) execFileSync("taskset", ["-a", "-p", "-c", "0", String(pid)]);
    /** What the box gets of the core that both want. */
    const share = async (ms: number): Promise<number> => {
      const before = [ranMs(pids()), ranMs([server])] as const;
      await sleep(ms);
      const [boxMs, serverMs] = [ranMs(pids()) - before[0], ranMs([server]) - before[1]];
      return boxMs / (boxMs + serverMs);
    };

    /** Other tests on that core can take what is the server's for a moment. */
    const leastShare = async (): Promise<number> => {
      let least = 1;
      for (let looks = 0; looks < 10 && least >= 0.15; looks++) least = Math.min(least, await share(300));
      return least;
    };
    const atFirst = await leastShare();
    /** Within some seconds: older kernels make it wait. */
    const shareOfItsOwn = async (look: () => void): Promise<number> => {
      let most = 0;
      for (let looks = 0; looks < 20 && most < 0.25; looks++) {
        look();
        most = Math.max(most, await share(200));
      }
      return most;
    };
    const relieved = await shareOfItsOwn(() => box.relieve());
    await sleep(1_100);
    const later = await leastShare();
    box.setBackground(false);
    const foreground = await shareOfItsOwn(() => {});

    assert.ok(atFirst < 0.15, `${atFirst} at first`);
    assert.ok(relieved >= 0.25, `${relieved} relieved`);
    assert.ok(later < 0.15, `${later} later`);
    assert.ok(foreground >= 0.25, `${foreground} in the foreground`);
  });

  test("that is killed refuses the next launch, and its server lives on", async () => {
    const { opened, folders, pid } = openSeen();
    const sandbox = await opened;
    process.kill(pid, "SIGKILL");
    while (!/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))); // we cannot be told before we look up from here
    await assert.rejects(sandbox.launch("node"), { code: "SANDBOX_START_FAILED", message: /nursery process/ });

    await sandbox.close();
    for (const parent of folders().map((folder) => dirname(folder))) {
      tryWrite(join(parent, "cgroup.procs"), String(process.pid)); // we were beside its boxes
      sweepDeadServers(parent);
    }
    assert.deepEqual(folders(), []);
  });

  test("that cannot prepare a root refuses by what is missing, and leaves nothing behind", async () => {
    const image = { ...PROGRAM, copies: [{ from: "/no/such/shim", to: "/shim" }] };
    const { opened, folders, roots } = openSeen({ images: [image] });

    await assert.rejects(opened, { code: "SANDBOX_START_FAILED", message: /\/no\/such\/shim/ });
    assert.deepEqual([...folders(), ...roots()], []);
  });
});

async function openFor(t: TestContext, change: Partial<Settings> = {}): Promise<NurserySandbox> {
  const sandbox = await openSeen(change).opened;
  t.after(() => sandbox.close());
  return sandbox;
}

/** A process that wants a core for itself; tells its pid. */
function startSpinning(t: TestContext): number {
  const child = spawn("/bin/sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  return child.pid ?? assert.fail();
}

/** CPU that processes have used. */
function ranMs(pids: readonly number[]): number {
  const ofEach = pids.map((pid) => Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6);
  return ofEach.reduce((sum, ms) => sum + ms, 0);
}
