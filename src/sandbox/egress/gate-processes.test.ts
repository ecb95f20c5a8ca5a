// One gate for all boxes: who gets it, what is left of it, and how the server itself connects.
import assert from "node:assert/strict";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { sleep } from "../../core/clock.ts";
import { ownMark } from "../process-mark.ts";
import type { ToGate } from "./gate-messages.ts";
import { GateUnderTest, tunnel, asked, get, gates, newestGate, closed, until } from "./gate-under-test.fixture.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import { LIFELINE_STDIO } from "../lifeline.ts";

const under = GateUnderTest.ofThisFile();

test("releasing a box ends its connections and removes its socket; other boxes keep theirs", async (t) => {
  const one = await under.box(t, "public");
  const other = await under.box(t, "public");
  const lost = await tunnel(one.path, "web.example:7777");
  const kept = await tunnel(other.path, "web.example:7777");

  one.gate.release(one.id);
  await closed(lost);

  await until(() => !existsSync(one.path));
  kept.end("kept");
  assert.equal(await text(kept), "kept");
  kept.destroy();
});

test("two boxes have two policies", async (t) => {
  const shut = await under.box(t, "none");
  const open = await under.box(t, "public");

  assert.match(await get(open.path, "web.example:80"), /hello /);
  assert.match(await asked(shut.path, "web.example:80"), /^403 /);
});

test("no gate runs before a box connects that may, nor for one that may not", async (t) => {
  const own = await under.openGate({});
  t.after(() => own.close());
  const before = gates();
  const shut = await own.admit(1);
  own.setPolicy(1, "none");
  const open = await own.admit(2);
  own.setPolicy(2, "public");

  assert.match(await asked(shut, "web.example:80"), /^403 egress denied: no network for this function/);
  assert.deepEqual(gates(), before);

  assert.match(await get(open, "web.example:80"), /hello /);
  assert.match(await get(open, "web.example:80"), /hello /);
  assert.equal(gates().length, before.length + 1);
});

test("connections that come at once, before the gate runs, are all served by one gate", async (t) => {
  const own = await under.openGate({});
  t.after(() => own.close());
  const before = gates();
  const paths = await Promise.all([1, 2, 3].map((id) => own.admit(id)));
  for (const id of [1, 2, 3]) own.setPolicy(id, "public");

  const answers = await Promise.all([...paths, ...paths, ...paths].map((path) => get(path, "web.example:80")));

  for (const answer of answers) assert.match(answer, /hello /);
  assert.equal(gates().length, before.length + 1);
});

test("a box without network that goes on connecting is not listened to any more", async (t) => {
  const { path } = await under.box(t, "none");
  const sockets: Socket[] = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));

  const failure = await (async () => {
    for (let times = 0; times < 1100; times += 1) {
      const socket = connect({ path }).on("error", () => {});
      sockets.push(socket);
      const [error] = (await Promise.race([once(socket, "connect"), once(socket, "error")])) as [unknown];
      if (error !== undefined) return error;
    }
    return undefined;
  })().catch((error: unknown) => error);

  assert.equal((failure as NodeJS.ErrnoException).code, "ECONNREFUSED");
  assert.equal(sockets.length, 1001);
});

test("the gate is nobody, and nothing of it is left when it is closed", async () => {
  const launcher = [...under.internet.launcher, "setpriv", "--groups=4"] as const; // a group to lose
  const own = await under.openGate({}, launcher);
  const path = await own.admit(1);
  own.setPolicy(1, "public");
  await get(path, "web.example:80");
  const pid = newestGate();
  const status = readFileSync(`/proc/${pid}/status`, "utf8");

  await own.close();

  assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
  assert.match(status, /^Gid:\t65534\t65534\t65534\t65534$/m);
  assert.match(status, /^Groups:\s*$/m);
  assert.match(own.feature, /user 65534/);
  assert.equal(existsSync(`/proc/${pid}`), false);
  assert.equal(existsSync(dirname(path)), false);
  await assert.rejects(own.admit(2), /the egress gate has ended/);
});

test("the gate ends when its server is gone, and not before", async (t) => {
  const orphan = fork(join(import.meta.dirname, "gate-main.ts"), { stdio: [...LIFELINE_STDIO] });
  t.after(() => orphan.kill("SIGKILL"));
  orphan.send({ t: "open", limits: EGRESS_LIMITS } satisfies ToGate);
  await once(orphan, "message");
  const ended = once(orphan, "exit");

  orphan.kill("SIGTERM"); // not for it to decide
  orphan.kill("SIGINT");
  await sleep(100);
  assert.equal(orphan.exitCode, null);
  orphan.stdin?.destroy();
  const [code] = (await ended) as [number];

  assert.equal(code, 0);
});

test("a killed gate is told; its connections end, and the next ones of all boxes get a new gate", async (t) => {
  const one = await under.box(t, "public", {});
  const otherPath = await one.gate.admit(one.id + 1);
  one.gate.setPolicy(one.id + 1, "none");
  const open = await tunnel(one.path, "web.example:7777");
  const told = under.log.length;
  const killed = newestGate();

  process.kill(killed, "SIGKILL");
  await closed(open);
  await until(() => under.log.length > told);

  assert.equal(under.log[told], "the egress gate ended unexpectedly (SIGKILL); it is started again when it is needed");
  assert.equal(gates().includes(killed), false);
  for (let times = 0; times < 2; times += 1) {
    assert.match(await get(one.path, "web.example:80"), /hello /);
    assert.match(await asked(one.path, "10.0.0.5:80"), /^403 .* is private$/);
    assert.match(await asked(otherPath, "web.example:80"), /^403 egress denied: no network/);
    process.kill(newestGate(), "SIGKILL");
    await until(() => under.log.at(-1)?.includes("ended unexpectedly") === true);
  }
});

test("a gate that cannot be started lets nobody out, and says why", async (t) => {
  const own = await under.openGate({}, ["false"] as unknown as typeof under.internet.launcher);
  t.after(() => own.close());
  const path = await own.admit(1);
  own.setPolicy(1, "public");

  assert.match(
    await asked(path, "web.example:80"),
    /^502 egress failed: the egress gate ended at start \(exit code 1\)$/,
  );
  assert.match(under.log.at(-1) ?? "", /cannot be started|ended at start/);
});

test("what a killed server left is swept by the next one", async (t) => {
  const gone = spawn("sleep", ["60"]);
  const folder = join(tmpdir(), `cloche-gate-${ownMark(gone.pid)}-left`);
  mkdirSync(folder);
  gone.kill("SIGKILL");
  await once(gone, "exit");

  await under.box(t, "none", {});

  assert.equal(existsSync(folder), false);
});

test("the server connects through the gate, by the policy that it names", async (t) => {
  const own = await under.openGate({});
  t.after(() => own.close());
  const target = { owner: "f@1", policy: "public", host: "web.example", port: 7777 } as const;
  const { signal } = new AbortController();

  const sockets = await Promise.all([1, 2, 3, 4, 5].map(() => own.connect(target, signal)));
  for (const [index, socket] of sockets.entries()) socket.end(`said by ${index}`);
  const heard = await Promise.all(sockets.map((socket) => text(socket)));

  assert.deepEqual(heard, ["said by 0", "said by 1", "said by 2", "said by 3", "said by 4"]);
  const refused = (change: object): Promise<unknown> => own.connect({ ...target, ...change }, signal);
  await assert.rejects(refused({ host: "10.0.0.5", port: 80 }), {
    code: "EGRESS_REFUSED",
    message: "egress denied: 10.0.0.5 is private",
  });
  await assert.rejects(refused({ owner: "f@2", policy: ["other.example"] }), {
    code: "EGRESS_REFUSED",
    message: "egress denied: web.example is not in the list of allowed hosts",
  });
  await assert.rejects(refused({ port: 9999 }), { code: "EGRESS_FAILED", message: /ECONNREFUSED/ });
  await assert.rejects(refused({ host: "a b" }), { code: "EGRESS_FAILED" });
});

test("the server asks no gate where the policy is none, and waits for none that it does not need any more", async (t) => {
  const own = await under.openGate({});
  t.after(() => own.close());
  const before = gates();
  const target = { owner: "f@1", policy: "none", host: "web.example", port: 80 } as const;

  await assert.rejects(own.connect(target, new AbortController().signal), {
    code: "EGRESS_REFUSED",
    message: "egress denied: no network for this function (EGRESS=none)",
  });
  assert.deepEqual(gates(), before);
  await assert.rejects(own.connect({ ...target, policy: "public" }, AbortSignal.abort()), { code: "EGRESS_FAILED" });
});

test("the connections of one owner are counted together, and those of others are not", async (t) => {
  const own = await under.openGate({ connections: 3 });
  t.after(() => own.close());
  const target = { owner: "f@1", policy: "public", host: "web.example", port: 7777 } as const;
  const { signal } = new AbortController();
  const open = await Promise.all([1, 2, 3].map(() => own.connect(target, signal)));

  await assert.rejects(own.connect(target, signal), { message: "egress denied: more than 3 connections at once" });
  const other = await own.connect({ ...target, owner: "g@1" }, signal);
  for (const socket of open) socket.destroy();
  const again = await soonConnected(() => own.connect(target, signal)); // the gate has to hear of it

  other.destroy();
  again.destroy();
});

async function soonConnected(connecting: () => Promise<Socket>): Promise<Socket> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await connecting();
    } catch (error) {
      if (waits === 500) throw error;
      await sleep(10);
    }
  }
}
