// The server on cgroup v2, without systemd: as root, as a user with a group of its own, and as one without.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { delegate, makeGroup, pidsIn, read, ROOT, serverGroups } from "./cgroups.mjs";
import { nothingOf } from "./client.mjs";
import { askDoctor } from "./doctor.mjs";
import {
  answersInEveryLanguage,
  boxHasItsLimits,
  cpuHolds,
  HARD_LIMITS,
  memoryHolds,
  processesHold,
  SETTINGS,
} from "./checks.mjs";
import { EAT_200_MIB, STUBBORN_FAMILY } from "./programs.mjs";
import { endServers, startServer } from "./server.mjs";

const VISITOR = 1000; // an ordinary user

suite("a server of root", () => {
  let server;
  before(async () => {
    server = await startServer({ group: ROOT, settings: SETTINGS });
  });
  after(async () => {
    assert.equal(await server.stop(), 0);
    await nothingOf(serverGroups);
  });

  test("has hard limits by cgroup v2, and says so", async () => {
    assert.deepEqual(await server.limits(), HARD_LIMITS);
  });

  test("answers in every language", () => answersInEveryLanguage(server));

  test("gives each box its limits, and no swap", () => boxHasItsLimits(server));
  test("ends the box that eats memory, in JavaScript, and no other", () => memoryHolds(server, "javascript"));
  test("ends the box that eats memory, in Python, and no other", () => memoryHolds(server, "python"));
  test("bounds a fork bomb, and ends all of it at the time limit", () => processesHold(server));
  test("gives a box its share of a core and no more", () => cpuHolds(server));

  test("is told by the doctor that it has hard limits", async () => {
    const finding = await askDoctor({ group: ROOT });
    assert.equal(finding.level, "ok");
    assert.match(finding.what, /^hard limits .* by cgroup v2, as root/);
  });
});

// A group may have processes or limited groups below it, not both; only the root may.
suite("a server in a group that has processes", () => {
  let group;
  let neighbour;
  before(() => {
    group = makeGroup("service");
    neighbour = spawn("/bin/sleep", ["600"], { stdio: "ignore" });
    writeFileSync(join(group, "cgroup.procs"), String(neighbour.pid));
  });
  afterEach(endServers);
  after(async () => {
    neighbour.kill("SIGKILL");
    await nothingOf(serverGroups);
  });

  test("moves them to a leaf, and itself beside its boxes, which begin in the background", async () => {
    const server = await startServer({ group });
    assert.deepEqual(pidsIn(group), []);
    assert.ok(pidsIn(join(group, "supervisor")).includes(neighbour.pid));
    const moved = pidsIn(join(server.group, "server"));
    for (const pid of [server.pid, server.nurseryPid]) assert.ok(moved.includes(pid), `${pid} of ${moved.join()}`);
    const boxes = readdirSync(server.group).filter((name) => /^\d+$/.test(name));
    assert.ok(boxes.some((box) => isInBackground(join(server.group, box)))); // not all: slow boots are relieved
    assert.equal(read(group, "cgroup.subtree_control"), "cpu memory pids");
    assert.ok(server.group.startsWith(join(group, "cloche-")), server.group);
    assert.match(await server.runNow("python", "return 'well'"), /well/);
    assert.equal(await server.stop(), 0);
  });

  test("starts from the leaf that an earlier one moved its shell to, in the same place", async () => {
    const server = await startServer({ group: join(group, "supervisor") });
    assert.ok(server.group.startsWith(join(group, "cloche-")), server.group);
    assert.equal(await server.stop(), 0);
  });

  test("moves them even while they start and end others", async () => {
    const busy = makeGroup("busy");
    const shell = spawn("/bin/sh", ["-c", "while :; do /bin/true; done"], { stdio: "ignore" });
    writeFileSync(join(busy, "cgroup.procs"), String(shell.pid));
    try {
      const server = await startServer({ group: busy });
      assert.ok(server.group.startsWith(join(busy, "cloche-")), server.group);
      assert.equal(await server.stop(), 0);
    } finally {
      shell.kill("SIGKILL");
    }
  });

  test("leaves nothing when it is killed", async () => {
    const server = await startServer({ group: join(group, "supervisor") });
    const pids = await stubbornFamilyIn(server);
    await server.kill();
    await nothingOf(() => [...serverGroups(), ...alive(pids)]);
  });

  test("is swept by the next one when its nursery is killed with it", async () => {
    const first = await startServer({ group: join(group, "supervisor") });
    const pids = await stubbornFamilyIn(first);
    const left = first.group;
    process.kill(first.nurseryPid, "SIGKILL");
    await first.kill();
    await nothingOf(() => alive(pids));
    assert.ok(existsSync(left), "nobody was there to remove the folder");

    const second = await startServer({ group: join(group, "supervisor") });
    assert.equal(existsSync(left), false);
    assert.equal(await second.stop(), 0);
  });
});

function isInBackground(box) {
  try {
    return read(box, "cpu.idle") === "1";
  } catch {
    return false; // it has ended meanwhile
  }
}

suite("a server of an ordinary user", () => {
  afterEach(endServers);

  test("has hard limits in a group that was handed to the user", async () => {
    const group = makeGroup("delegated");
    delegate(group, VISITOR);
    const { what } = await askDoctor({ group, uid: VISITOR });
    assert.match(what, /^hard limits .* by cgroup v2, delegated to this user/);
    const server = await startServer({ group, uid: VISITOR, settings: SETTINGS });

    assert.equal(statSync(`/proc/${server.nurseryPid}`).uid, VISITOR);
    assert.deepEqual(await server.limits(), HARD_LIMITS);
    await memoryHolds(server, "python");
    await processesHold(server);
    assert.equal(await server.stop(), 0);
    await nothingOf(serverGroups);
  });

  test("is refused where no group was handed to the user, with the way out", async () => {
    const group = makeGroup("foreign");
    const finding = await askDoctor({ group, uid: VISITOR });
    assert.equal(finding.level, "problem");
    assert.match(finding.what, /v2: \/sys\/fs\/cgroup\/foreign is not ours to write/);
    await assert.rejects(
      startServer({ group, uid: VISITOR }),
      /cannot be limited here.*Delegate=yes.*ALLOW_SOFT_LIMITS=true/s,
    );
    rmdirSync(group); // it can go: no process and no group is in it
  });

  test("serves there with soft limits when told to", async () => {
    const group = makeGroup("foreign");
    const settings = { ...SETTINGS, ALLOW_SOFT_LIMITS: "true" };
    assert.equal((await askDoctor({ group, uid: VISITOR, settings })).level, "warning");
    const server = await startServer({ group, uid: VISITOR, settings });

    for (const [inForce, detail] of await server.limits()) {
      assert.equal(inForce, false);
      assert.match(detail, /^soft limits/);
    }
    assert.match(await server.runNow("python", EAT_200_MIB.python), /memory limit exceeded/);
    assert.match(await server.runNow("javascript", "return 'well'"), /well/);
    assert.equal(await server.stop(), 0);
  });
});

/** Starts it in a box. @returns the pids of the box */
async function stubbornFamilyIn(server) {
  server.runNow("python", STUBBORN_FAMILY).catch(() => {}); // it never answers
  const box = await server.busyBox();
  while (pidsIn(box).length < 16) await delay(50);
  return pidsIn(box);
}

function alive(pids) {
  return pids.filter((pid) => existsSync(`/proc/${pid}`));
}
