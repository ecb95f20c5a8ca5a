// The server under systemd: as the service of deploy/systemd, and as a user's own with `systemd-run --user`.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { after, afterEach, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { serverGroups } from "./cgroups.mjs";
import { Client, nothingOf } from "./client.mjs";
import { DOCTOR, limitsIn } from "./doctor.mjs";
import {
  answersInEveryLanguage,
  boxHasItsLimits,
  cpuHolds,
  HARD_LIMITS,
  memoryHolds,
  processesHold,
  SETTINGS,
} from "./checks.mjs";
import { EAT_200_MIB, SLEEP_5_S } from "./programs.mjs";

const START_LIMIT_MS = 60_000; // an emulated processor is 30 times slower
const CLOCHE = 900; // the service's user, in root/etc/passwd
const VISITOR = 1000; // an ordinary user
const SERVICE_GROUP = "/sys/fs/cgroup/system.slice/cloche.service";
const DROP_IN = "/run/systemd/system/cloche.service.d";
const NODE = "/opt/cloche/node_modules/.bin/node";
const MAIN = "/opt/cloche/src/main.ts";

function systemctl(...args) {
  return execFileSync("systemctl", args, { encoding: "utf8" }).trim();
}

/** As the visitor, whose own systemd lingers. */
function asVisitor(command, ...args) {
  return execFileSync(command, args, {
    encoding: "utf8",
    uid: VISITOR,
    gid: VISITOR,
    env: { PATH: process.env.PATH, HOME: "/home/visitor", XDG_RUNTIME_DIR: `/run/user/${VISITOR}` },
  }).trim();
}

/** Waits until a server answers at `port`; `pidOf` tells its process. */
async function answering(port, pidOf) {
  const url = `http://127.0.0.1:${port}`;
  for (const giveUpAtMs = Date.now() + START_LIMIT_MS; Date.now() < giveUpAtMs; await delay(100)) {
    const ready = await fetch(`${url}/readyz`).catch(() => undefined);
    if (ready?.ok) return new Client(url, Number(pidOf()));
  }
  throw new Error(`no answer at ${url}: ${execFileSync("journalctl", ["-n", "30"], { encoding: "utf8" })}`);
}

function processesOf(uid) {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && ownerOf(name) === uid);
}

function ownerOf(pid) {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

suite("the service", () => {
  const mainPid = () => systemctl("show", "-P", "MainPID", "cloche");
  let server;
  before(async () => {
    systemctl("start", "cloche");
    server = await answering(8080, mainPid);
  });
  after(() => systemctl("stop", "cloche"));

  test("runs as its own user, with hard limits by cgroup v2 in the group that it was handed", async () => {
    assert.equal(ownerOf(server.pid), CLOCHE);
    assert.equal(ownerOf(server.nurseryPid), CLOCHE);
    assert.ok(server.group.startsWith(`${SERVICE_GROUP}/cloche-`), server.group);
    assert.deepEqual(await server.limits(), HARD_LIMITS);
  });

  test("answers in every language", () => answersInEveryLanguage(server));

  test("gives each box its limits, and no swap", () => boxHasItsLimits(server));
  test("ends the box that eats memory, in JavaScript, and no other", () => memoryHolds(server, "javascript"));
  test("ends the box that eats memory, in Python, and no other", () => memoryHolds(server, "python"));
  test("bounds a fork bomb, and ends all of it at the time limit", () => processesHold(server));
  test("gives a box its share of a core and no more", () => cpuHolds(server));

  test("is started again when it is killed, and has the same limits", async () => {
    const before = server.group;
    systemctl("kill", "--kill-who=main", "--signal=KILL", "cloche");
    await nothingOf(() => [before].filter((folder) => existsSync(folder)));
    server = await answering(8080, mainPid);
    assert.deepEqual(await server.limits(), HARD_LIMITS);
    assert.match(await server.runNow("python", "return 'well'"), /well/);
  });

  test("lets what runs end when it is stopped, and leaves nothing", async () => {
    const run = server.runNow("python", SLEEP_5_S);
    await server.busyBox();
    systemctl("stop", "cloche");
    assert.match(await run, /slept/);
    assert.equal(systemctl("show", "-P", "Result,ActiveState", "cloche"), "success\ninactive");
    assert.deepEqual(processesOf(CLOCHE), []);
    assert.equal(existsSync(SERVICE_GROUP), false);
    assert.equal(existsSync("/var/lib/cloche/data/boxes"), false);
  });
});

suite("the service without Delegate=", () => {
  before(() => {
    mkdirSync(DROP_IN, { recursive: true });
    writeFileSync(`${DROP_IN}/no-delegate.conf`, "[Service]\nDelegate=no\nRestart=no\n");
    systemctl("daemon-reload");
  });
  after(() => {
    rmSync(DROP_IN, { recursive: true });
    systemctl("daemon-reload");
  });

  test("does not start, and says what is missing", async () => {
    systemctl("start", "cloche");
    while (systemctl("show", "-P", "ActiveState", "cloche") !== "failed") await delay(100);
    const journal = execFileSync("journalctl", ["-u", "cloche", "-o", "cat"], { encoding: "utf8" });
    assert.match(journal, /cannot be limited here.*system\.slice\/cloche\.service.*Delegate=yes/);
    assert.deepEqual(processesOf(CLOCHE), []);
  });
});

suite("the doctor", () => {
  for (const [delegate, level, what] of [
    ["yes", "ok", /^hard limits .* by cgroup v2, delegated to this user \(\/sys\/fs\/cgroup\/system\.slice\//],
    ["no", "problem", /^no cgroup can limit sandboxes .* is not ours to write/],
  ]) {
    test(`tells a service with Delegate=${delegate} its limits`, () => {
      const options = ["--pipe", "--wait", "--quiet", "--property=User=cloche", `--property=Delegate=${delegate}`];
      // Its exit code tells of other findings, too.
      const { stdout } = spawnSync("systemd-run", [...options, ...DOCTOR], { encoding: "utf8" });
      const finding = limitsIn(stdout);
      assert.equal(finding.level, level);
      assert.match(finding.what, what);
      if (level === "problem") assert.match(finding.fix.join("\n"), /Delegate=yes.*\n.*cloche\.service/);
    });
  }
});

suite("a user's own server", () => {
  const unit = "own-cloche";
  const pid = () => asVisitor("systemctl", "--user", "show", "-P", "MainPID", unit);
  const settings = Object.entries({ ...SETTINGS, HTTP_PORT: "8081", DATA_DIR: "/home/visitor/data" });
  const start = (...command) =>
    asVisitor(
      "systemd-run",
      ...["--user", "--quiet", `--unit=${unit}`, "--property=WorkingDirectory=/home/visitor"],
      ...settings.map(([name, value]) => `--setenv=${name}=${value}`),
      ...command,
    );
  before(async () => {
    execFileSync("loginctl", ["enable-linger", "visitor"]);
    while (!existsSync(`/run/user/${VISITOR}/systemd/private`)) await delay(100);
  });
  afterEach(() => {
    // What a failed test has left; else it is gone by now, which is no reason to fail.
    spawnSync("systemctl", ["--user", "--machine=visitor@", "stop", unit]);
  });

  for (const [what, options] of Object.entries({
    "as a service with Delegate=yes": ["--property=Delegate=yes"],
    "in a scope with Delegate=yes, as docs/running.md has it": [
      "systemd-run",
      "--user",
      "--scope",
      "-p",
      "Delegate=yes",
    ],
  })) {
    test(`has hard limits ${what}`, async () => {
      start(...options, NODE, MAIN);
      const server = await answering(8081, pid);
      assert.equal(ownerOf(server.pid), VISITOR);
      assert.match(server.group, /^\/sys\/fs\/cgroup\/user\.slice\/user-1000\.slice\/user@1000\.service\/app\.slice\//);
      assert.deepEqual(await server.limits(), HARD_LIMITS);
      assert.match(await server.runNow("python", EAT_200_MIB.python), /memory limit exceeded/);
      await processesHold(server);
      process.kill(server.pid, "SIGTERM");
      await nothingOf(() => [...serverGroups(), `/proc/${server.pid}`].filter((path) => existsSync(path)));
    });
  }
});
