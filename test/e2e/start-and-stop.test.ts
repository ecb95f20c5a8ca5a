// The life of the server: what stops a start, what a stop leaves, what survives.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { ownMark } from "../../src/sandbox/process-mark.ts";
import { findGpu } from "../../src/sandbox/gpu.ts";
import { ServerUnderTest } from "../server-under-test.ts";

const SOON_MS = 20_000;

function dataFolder(t: { after(task: () => void): void }): string {
  const dataDir = mkdtempSync(join(tmpdir(), "cloche-test-"));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** Waits for something that takes as long as it takes. */
async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = Date.now() + SOON_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < giveUpAtMs, `${what} within ${SOON_MS} ms`);
    await delay(10);
  }
}

/** Until that many runs are at work. */
async function untilBusy(server: ServerUnderTest, runs = 1): Promise<void> {
  await until(`${runs} at work`, async () => {
    const { workers } = (await server.system()).pool;
    return workers.filter(({ state }) => state === "busy").length >= runs;
  });
}

/** How a start that must fail ends. */
async function refusedStart(dataDir: string, settings: Record<string, string>): Promise<string> {
  const server = new ServerUnderTest(dataDir, settings);
  const { code } = await server.exited;
  assert.equal(code, 1);
  await server.assertGone([]);
  return server.stderr;
}

suite("the server", () => {
  test("says at start what it found, and its curl line is right", async (t) => {
    const server = new ServerUnderTest(dataFolder(t));
    await server.started;
    await delay(50);
    for (const words of [
      /Node\.js v24\./,
      /Python 3\./,
      /memory +\d+ MiB by cgroup v[12]/,
      /network +only through the egress gate/,
      /Listening on http:\/\/127\.0\.0\.1:\d+/,
      /Dashboard: http:\/\/127\.0\.0\.1:\d+\//,
    ]) {
      assert.match(server.stdout, words);
    }
    const [, url = "", body = ""] = /curl (\S+) -d '(.*)'/.exec(server.stdout) ?? [];
    const response = await fetch(url, { method: "POST", body });
    assert.deepEqual(await response.json(), { data: 42, type: "number" });
    await server.stop();
  });

  test("starts again with everything that was uploaded", async (t) => {
    const dataDir = dataFolder(t);
    const first = new ServerUnderTest(dataDir);
    await first.started;
    const version = await first.upload("kept", "python", "return 'kept'");
    await first.stop();

    const second = new ServerUnderTest(dataDir);
    await second.started;
    assert.deepEqual((await second.run("kept")).json, { data: "kept", type: "string" });
    assert.ok((await second.upload("kept", "python", "return 2")) > version);
    await second.stop();
  });

  test("has recorded every run with its end, its times and its lines", async (t) => {
    const dataDir = dataFolder(t);
    const server = new ServerUnderTest(dataDir, { TIMEOUT_SCRIPT: "0.3" });
    await server.started;
    const version = await server.upload("told", "javascript", "console.log('a'); console.warn('b'); return 1");
    await server.run("told");
    await server.runNow({ language: "python", code: "1 / 0" });
    await server.runNow({ language: "javascript", code: "for (;;);" });
    await server.stop();

    const store = await openSqliteStore({ file: join(dataDir, "cloche.db"), keepExecutions: 100 });
    const { items } = await store.listExecutions({ limit: 10 });
    const [timeout, failure, success] = items;
    const kept = await store.findExecution(success?.id ?? "");
    await store.close();
    assert.deepEqual([timeout?.status, failure?.status, success?.status], ["timeout", "error", "success"]);
    assert.deepEqual([timeout?.trigger, failure?.language, success?.functionName], ["run-now", "python", "told"]);
    assert.match(failure?.error ?? "", /division by zero/);
    assert.equal(success?.version, version);
    assert.deepEqual(
      kept?.logs.map(({ level, stream, text }) => [level, stream, text]),
      [
        ["info", "stdout", "a"],
        ["warn", "stderr", "b"],
      ],
    );
    assert.ok((timeout?.runMs ?? 0) >= 300 && Math.abs((success?.queuedAtMs ?? 0) - Date.now()) < 60_000);
  });

  test("stops at a setting that cannot be, naming the variable, the value and what is allowed", async (t) => {
    const dataDir = dataFolder(t);
    const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ HTTP_PORT: "70000" }, /HTTP_PORT="70000" is not allowed: it must be a whole number from 0 to 65535/],
      [{ TIMEOUT_SCRIPT: "soon" }, /TIMEOUT_SCRIPT="soon" is not allowed: it must be a number of seconds/],
      [{ MAX_MEMORY: "12 apples" }, /MAX_MEMORY="12 apples" is not allowed: it must be a size/],
      [{ MAX_CPUS: "0" }, /MAX_CPUS="0" is not allowed/],
      [{ REDIS_URL: "http://:word@h" }, /REDIS_URL=\(not shown\) is not allowed: it must be redis:\/\/, rediss:/],
      [{ GPU_ENABLED: "yes" }, /GPU_ENABLED="yes" is not allowed: it must be true or false/],
      [
        { EGRESS: "http://example.com" },
        /EGRESS="http:\/\/example\.com" is not allowed: it must be none, public, all, or hosts/,
      ],
    ];
    for (const [settings, message] of cases) assert.match(await refusedStart(dataDir, settings), message);
  });

  test("stops where a GPU is asked for and there is none, and says what is missing", async (t) => {
    const dataDir = dataFolder(t);
    const search = findGpu();
    if (search.found) {
      const server = new ServerUnderTest(dataDir, { GPU_ENABLED: "true" });
      await server.started;
      await server.stop();
    } else {
      const told = await refusedStart(dataDir, { GPU_ENABLED: "true" });
      assert.ok(told.includes(`GPU_ENABLED=true, but ${search.reason}`), told);
      assert.match(told, /^\d+ ok, \d+ warnings?, \d+ problems?$/m); // what the doctor finds, too
    }
  });

  test("reads .env from its working directory, and lets the environment win", async (t) => {
    const dataDir = dataFolder(t);
    writeFileSync(join(dataDir, ".env"), "TIMEOUT_SCRIPT=0.2\nMAX_MEMORY=nonsense\n");
    const server = new ServerUnderTest(dataDir, { MAX_MEMORY: "64M" });
    await server.started;
    const { text } = await server.runNow({ language: "javascript", code: "for (;;);" });
    await server.stop();

    assert.match(text, /max 0\.2s/);
    assert.match(server.stdout, /64 MiB/);
  });

  test("stops at a port that is taken and at a data folder that another server has", async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    t.after(() => other.close());
    const address = other.address();
    assert.ok(address !== null && typeof address === "object");
    assert.match(await refusedStart(dataFolder(t), { HTTP_PORT: String(address.port) }), /EADDRINUSE/);

    const dataDir = dataFolder(t);
    const holder = new ServerUnderTest(dataDir);
    await holder.started;
    const late = new ServerUnderTest(dataDir);
    assert.equal((await late.exited).code, 1);
    assert.match(late.stderr, /in use|another/);
    assert.equal((await holder.runNow({ language: "python", code: "return 1" })).status, 200);
    await holder.stop();
  });

  test("stops at a database that is damaged or not its own, and leaves it untouched", async (t) => {
    const dataDir = dataFolder(t);
    const file = join(dataDir, "cloche.db");
    writeFileSync(file, "this is no database ".repeat(500));
    const before = readFileSync(file);

    assert.match(await refusedStart(dataDir, {}), /cloche\.db/);
    assert.deepEqual(readFileSync(file), before);
  });

  test("marks what was running when it was killed as interrupted, at its next start", async (t) => {
    const dataDir = dataFolder(t);
    const server = new ServerUnderTest(dataDir);
    await server.started;
    await server.upload("sleeps", "python", "import time; print('begun'); time.sleep(60)");
    server.run("sleeps").catch(() => {});
    await untilBusy(server);
    await delay(1_000); // what is told of running runs is stored in batches
    server.process.kill("SIGKILL");
    await server.exited;

    const next = new ServerUnderTest(dataDir);
    await next.started;
    await next.stop();
    const store = await openSqliteStore({ file: join(dataDir, "cloche.db"), keepExecutions: 100 });
    const { items } = await store.listExecutions({ limit: 10 });
    await store.close();
    assert.deepEqual(
      items.map(({ status, functionName, error }) => [status, functionName, error?.split(":")[0]]),
      [["error", "sleeps", "interrupted"]],
    );
  });

  for (const [title, signal, toGroup] of [
    ["SIGTERM", "SIGTERM", false],
    ["Ctrl-C, which reaches every process of the terminal", "SIGINT", true],
    ["the end of the terminal", "SIGHUP", true],
  ] as const) {
    test(`lets what runs end at ${title}, takes nothing new, and leaves nothing`, async (t) => {
      const server = new ServerUnderTest(dataFolder(t));
      await server.started;
      const code = "await new Promise((resolve) => setTimeout(resolve, 2_000)); return 'finished'";
      const running = server.runNow({ language: "javascript", code });
      await untilBusy(server);
      const pids = server.boxPids();
      assert.ok(pids.length > 0);

      const { pid } = server.process;
      assert.ok(pid);
      process.kill(toGroup ? -pid : pid, signal);
      await until("it is told", () => server.stderr.includes(`${signal}: finishing what runs`));
      await assert.rejects(server.runNow({ language: "javascript", code: "return 1" }), "no new connection is taken");
      assert.deepEqual((await running).json, { data: "finished", type: "string" });
      assert.equal((await server.exited).code, 0);
      await server.assertGone(pids);
    });
  }

  test("stops at once at the second signal", async (t) => {
    const server = new ServerUnderTest(dataFolder(t));
    await server.started;
    server.runNow({ language: "javascript", code: "for (;;);" }).catch(() => {});
    await untilBusy(server);
    const pids = server.boxPids();

    server.process.kill("SIGINT");
    server.process.kill("SIGINT"); // npm passes on what the terminal has sent already: that is no second one
    await until("it is told", () => server.stderr.includes("SIGINT: finishing what runs"));
    await delay(700); // the same press of a key takes 500 ms at most
    assert.equal(server.process.exitCode, null);
    server.process.kill("SIGINT");
    assert.equal((await server.exited).code, 1);
    await server.assertGone(pids);
  });

  test("takes every sandbox with it when it is killed", async (t) => {
    const server = new ServerUnderTest(dataFolder(t));
    await server.started;
    server.runNow({ language: "python", code: "import os, time\nos.fork()\ntime.sleep(60)" }).catch(() => {});
    await until("it has forked", () => server.boxPids().length >= 4);
    const pids = server.boxPids();

    server.process.kill("SIGKILL");
    await server.exited;
    await server.assertGone(pids);
  });

  test("ends, with every sandbox, when the process that starts them is lost", async (t) => {
    const server = new ServerUnderTest(dataFolder(t));
    await server.started;
    const pids = server.boxPids();
    const { nurseryPid } = server;
    process.kill(nurseryPid, "SIGKILL");

    assert.equal((await server.exited).code, 1);
    assert.match(server.stderr, /nursery process ended unexpectedly/);
    const giveUpAtMs = Date.now() + 10_000; // a box that was just starting ends itself when it finds its channel closed
    while (pids.some(isAlive) && Date.now() < giveUpAtMs) await delay(10);
    assert.deepEqual(pids.filter(isAlive), []);

    // The next server on the machine sweeps the empty folders that a killed one cannot remove.
    const next = new ServerUnderTest(dataFolder(t));
    await next.started;
    await next.stop();
    await server.assertGone([]);
    assert.ok(!existsSync(`/var/lib/cloche-boxes/${ownMark(nurseryPid)}`));
  });
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
