import assert from "node:assert/strict";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { after, before, test, type TestContext } from "node:test";
import { sleep, systemClock } from "../../core/clock.ts";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { ownMark } from "../process-mark.ts";
import type { ToGate } from "./gate-messages.ts";
import { EgressGateProcess } from "./gate-process.ts";
import { HOST_ADDRESS, Internet } from "./internet.fixture.ts";
import { EGRESS_LIMITS, type EgressLimits } from "./limits.ts";
import { LIFELINE_STDIO } from "../lifeline.ts";

const MIB = 1024 * 1024;
const WEB = "93.184.216.34";
const WEB_V6 = "2606:2800:220:1::1";

let internet: Internet;
let gate: EgressGateProcess;
/** What the gates have told about the boxes of all tests. */
const log: string[] = [];
let lastBox = 0;

before(async () => {
  internet = await Internet.open();
  gate = await openGate({ connectMs: 2_000 });
  await internet.setName("web.example", [WEB, WEB_V6]);
});

after(async () => {
  await gate?.close();
  await internet?.close();
});

function openGate(limits: Partial<EgressLimits>, launcher = internet.launcher): Promise<EgressGateProcess> {
  return EgressGateProcess.open({
    log: (line) => log.push(line),
    limits: { ...EGRESS_LIMITS, ...limits },
    launcher,
  });
}

/** The socket of a new box, in a gate of its own where the test needs other limits. */
async function box(
  t: TestContext,
  policy: EgressPolicy | undefined,
  limits?: Partial<EgressLimits>,
): Promise<{ path: string; id: number; gate: EgressGateProcess }> {
  const own = limits === undefined ? gate : await openGate(limits);
  const id = ++lastBox;
  const path = await own.admit(id);
  if (policy !== undefined) own.setPolicy(id, policy);
  t.after(() => (own === gate ? own.release(id) : own.close()));
  return { path, id, gate: own };
}

async function dial(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** The head of the answer to what was written; the bytes behind it stay in the socket. */
async function head(socket: Socket): Promise<string> {
  let seen = "";
  while (!seen.includes("\r\n\r\n")) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) seen += chunk.toString("latin1");
    else if (socket.readableEnded || socket.destroyed) return seen;
    else await Promise.race([once(socket, "readable"), once(socket, "end"), once(socket, "close")]);
  }
  const end = seen.indexOf("\r\n\r\n") + 4;
  if (end < seen.length) socket.unshift(Buffer.from(seen.slice(end), "latin1"));
  return seen.slice(0, end);
}

/** A tunnel to the target. */
async function tunnel(path: string, target: string): Promise<Socket> {
  const socket = await dial(path);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  assert.match(await head(socket), /^HTTP\/1\.1 200 /);
  return socket;
}

/** What a box is told that sends `request`, with its status in front. */
async function told(path: string, request: string | Buffer): Promise<string> {
  const socket = await dial(path);
  socket.on("error", () => {});
  socket.write(request);
  const answer = await head(socket);
  if (!/^HTTP\/1\.1 [45]/.test(answer)) socket.destroy(new Error(`this should have been refused: ${answer}`));
  const body = await text(socket);
  socket.destroy();
  const [, status = ""] = answer.split(" ");
  const error = /^X-Egress-Error: (.*)\r$/m.exec(answer)?.[1];
  assert.equal(body, `${error}\n`, "the body repeats the header");
  return `${status} ${error}`;
}

const asked = (path: string, target: string): Promise<string> =>
  told(path, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);

async function get(path: string, target: string, route = "/"): Promise<string> {
  const socket = await tunnel(path, target);
  socket.write(`GET ${route} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
  const answer = await text(socket);
  socket.destroy();
  return answer;
}

// --- what is allowed ---

test("a box reaches a public host by name and by address, over IPv4 and IPv6", async (t) => {
  const { path } = await box(t, "public");
  await internet.setName("six.example", [WEB_V6]);

  for (const target of ["web.example:80", "six.example:8080", `${WEB}:80`, `[${WEB_V6}]:80`])
    assert.match(await get(path, target), /hello /, target);
});

test("a large download and a large upload arrive whole", async (t) => {
  const { path } = await box(t, "public");
  const bytes = 48 * MIB;

  const down = await tunnel(path, "web.example:80");
  down.write(`GET /large?bytes=${bytes} HTTP/1.0\r\n\r\n`); // 1.0: nothing between the bytes
  await head(down);
  const received = (await buffer(down)).length;

  const up = await tunnel(path, "web.example:80");
  up.write(`POST /count HTTP/1.1\r\nHost: web.example\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n`);
  for (let sent = 0; sent < bytes; sent += MIB) if (!up.write(Buffer.alloc(MIB))) await once(up, "drain");
  const counted = await text(up);

  assert.equal(received, bytes);
  assert.match(counted, new RegExp(`\\b${bytes}\\b`));
  down.destroy();
  up.destroy();
});

test("bytes that follow the request at once reach the target", async (t) => {
  const { path } = await box(t, "public");
  const socket = await dial(path);

  socket.write("CONNECT web.example:7777 HTTP/1.1\r\n\r\nearly");
  await head(socket);
  socket.end(" and late");

  assert.equal(await text(socket), "early and late");
  socket.destroy();
});

test("a side that has ended still receives", async (t) => {
  const { path } = await box(t, "public");
  const socket = await tunnel(path, "web.example:7777");

  socket.end("said before the end");

  assert.equal(await text(socket), "said before the end");
  socket.destroy();
});

test("a target that has ended still receives", async (t) => {
  const { path } = await box(t, "public");
  const socket = await tunnel(path, "web.example:7778");
  assert.equal(await text(socket), "220 welcome");

  const failed = once(socket, "error").then(([error]) => error as Error);
  for (let writes = 0; writes < 10; writes += 1) {
    socket.write("still here");
    await sleep(20);
  }

  assert.equal(await Promise.race([failed, sleep(1)]), undefined);
  socket.destroy();
});

test("a reader that stops makes the gate stop, not grow", async (t) => {
  const { path } = await box(t, "public");
  const socket = await tunnel(path, "web.example:80");
  socket.pause();
  const pid = newestGate();
  const rssBefore = rssBytes(pid);

  socket.write(`GET /large?bytes=${200 * MIB} HTTP/1.1\r\nHost: web.example\r\n\r\n`);
  await sleep(1_000);

  assert.ok(rssBytes(pid) - rssBefore < 24 * MIB, `the gate grew by ${rssBytes(pid) - rssBefore} bytes`);
  socket.destroy();
});

// --- what is denied ---

const DENIED: readonly (readonly [target: string, why: string])[] = [
  ["127.0.0.1:8080", "127.0.0.1 is loopback"],
  ["localhost:8080", "localhost leads to ::1, which is loopback"],
  ["127.1:8080", "127.0.0.1 is loopback"],
  ["0x7f.1:8080", "127.0.0.1 is loopback"],
  ["2130706433:8080", "127.0.0.1 is loopback"],
  ["0177.0.0.1:8080", "127.0.0.1 is loopback"],
  ["127.0.0.1.:8080", "127.0.0.1 is loopback"],
  ["１２７.0.0.1:8080", "127.0.0.1 is loopback"],
  ["[::1]:8080", "::1 is loopback"],
  ["0.0.0.0:8080", "0.0.0.0 is unspecified"],
  ["10.0.0.5:80", "10.0.0.5 is private"],
  ["192.168.77.2:80", "192.168.77.2 is private"],
  ["169.254.169.254:80", "169.254.169.254 is link-local (cloud metadata)"],
  ["[fd12:3456::5]:80", "fd12:3456::5 is unique-local"],
  ["[64:ff9b::5db8:d822]:80", "64:ff9b::5db8:d822 is NAT64"],
  [`[::ffff:${WEB}]:80`, "::ffff:5db8:d822 is IPv4-mapped"],
  ["[2002:a00:5::1]:80", "2002:a00:5::1 is 6to4"],
  [`${HOST_ADDRESS}:8080`, `${HOST_ADDRESS} is one of this host's own addresses`],
  ["[fd77::1]:8080", "fd77::1 is one of this host's own addresses"],
  [`${WEB}:22`, "port 22 is not allowed"],
  ["web.example:25", "port 25 is not allowed"],
];

for (const [target, why] of DENIED)
  test(`${target} is denied: ${why}`, async (t) => {
    const { path, id } = await box(t, "public");

    const answer = await asked(path, target);

    // The order of localhost's two addresses is the resolver's.
    assert.equal(answer.replace("127.0.0.1, which", "::1, which"), `403 egress denied: ${why}`);
    assert.equal(await firstLine(id), answer.slice(4));
  });

test("a name with one forbidden address among good ones is denied", async (t) => {
  const { path } = await box(t, "public");
  await internet.setName("mixed.example", [WEB, "10.0.0.5"]);
  await internet.setName("mixed6.example", [WEB, "::ffff:127.0.0.1"]);

  assert.equal(
    await asked(path, "mixed.example:80"),
    "403 egress denied: mixed.example leads to 10.0.0.5, which is private",
  );
  assert.match(await asked(path, "mixed6.example:80"), /^403 .* which is IPv4-mapped$/);
});

test("a name that changes its address between two questions is asked once and then denied", async (t) => {
  const { path } = await box(t, "public");
  await internet.setName("rebind.example", [WEB], ["169.254.169.254"]);

  assert.match(await get(path, "rebind.example:80"), /hello /);
  assert.equal(await internet.timesResolved("rebind.example"), 1);
  assert.match(await asked(path, "rebind.example:80"), /^403 .* is link-local \(cloud metadata\)$/);
});

test("a redirect to the metadata service is denied when it is followed", async (t) => {
  const { path } = await box(t, "public");

  const answer = await get(path, "web.example:80", "/redirect?to=http://169.254.169.254/latest");
  const location = /^location: http:\/\/([^/]+)/m.exec(answer)?.[1];

  assert.match(await asked(path, `${location}:80`), /^403 /);
});

test("all opens private addresses, but neither the host nor its link", async (t) => {
  const { path } = await box(t, "all");

  assert.match(await get(path, "10.0.0.5:80"), /hello /);
  for (const target of ["127.0.0.1:80", `${HOST_ADDRESS}:80`, "169.254.169.254:80", "[fe80::1]:80"])
    assert.match(await asked(path, target), /^403 egress denied: /, target);
});

test("a list opens its hosts and nothing else", async (t) => {
  const { path } = await box(t, ["web.example", "*.web.example:8080", "10.0.0.5:80", "private.example"]);
  await internet.setName("a.web.example", [WEB]);
  await internet.setName("private.example", ["10.0.0.5"]);

  assert.match(await get(path, "web.example:80"), /hello /);
  assert.match(await get(path, "a.web.example:8080"), /hello /);
  assert.match(await get(path, "10.0.0.5:80"), /hello /);
  assert.equal(await asked(path, "a.web.example:80"), "403 egress denied: port 80 is not allowed");
  assert.equal(await asked(path, `${WEB}:80`), `403 egress denied: ${WEB} is not in the list of allowed hosts`);
  assert.match(await asked(path, "private.example:80"), /^403 .* leads to 10\.0\.0\.5, which is private$/);
  assert.equal(await internet.timesResolved("web.example.evil.example"), 0);
});

test("none denies everything and resolves nothing", async (t) => {
  const { path } = await box(t, "none");
  await internet.setName("never.example", [WEB]);

  assert.equal(await asked(path, "never.example:80"), "403 egress denied: no network for this function (EGRESS=none)");
  assert.equal(await internet.timesResolved("never.example"), 0);
});

test("a policy may come after the first connection", async (t) => {
  const { path, id } = await box(t, undefined);

  const answer = get(path, "web.example:80");
  await sleep(200);
  gate.setPolicy(id, "public");

  assert.match(await answer, /hello /);
});

test("a box without a policy is denied after the wait", async (t) => {
  const { path } = await box(t, undefined, { policyWaitMs: 100 });

  assert.equal(await asked(path, "web.example:80"), "403 egress denied: this sandbox has no network policy yet");
});

// --- what fails ---

test("a name without addresses, a closed port and a silent host fail with what the system says", async (t) => {
  const { path } = await box(t, "public");
  await internet.setName("dead.example", ["93.184.216.99"]);

  assert.equal(
    await asked(path, "nothing.example:80"),
    "502 egress failed: nothing.example could not be resolved (ENOTFOUND)",
  );
  assert.equal(
    await asked(path, "web.example:9999"),
    "502 egress failed: web.example port 9999 cannot be reached (ECONNREFUSED)",
  );
  assert.match(
    await asked(path, "dead.example:80"),
    /^502 egress failed: dead\.example port 80 cannot be reached \(E\w+\)$/,
  );
});

test("the next address is tried when one is silent", async (t) => {
  const { path } = await box(t, "public");
  await internet.setName("two.example", ["93.184.216.99", WEB], ["93.184.216.99", WEB]);

  assert.match(await get(path, "two.example:80"), /hello /);
});

// --- what is no request ---

test("everything but CONNECT is refused", async (t) => {
  const { path } = await box(t, "public");
  for (const request of [
    "GET http://web.example/ HTTP/1.1\r\nHost: web.example\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "CONNECT web.example HTTP/1.1\r\n\r\n",
    "CONNECT web.example:80 HTTP/2\r\n\r\n",
    "connect web.example:80 HTTP/1.1\r\n\r\n",
    "CONNECT  web.example:80 HTTP/1.1\r\n\r\n",
    "\r\n\r\n",
  ])
    assert.equal(
      await told(path, request),
      "405 egress failed: the gate speaks only CONNECT host:port HTTP/1.1",
      request,
    );
  for (const host of ["user@web.example", "web.example/x", "a\tb", "a%2eb", "[::1", "..", "[fe80::1%25eth0]"])
    assert.match(await asked(path, `${host}:80`), /^400 egress failed: /, host);
});

test("a head that is too large or too slow is refused", async (t) => {
  const { path } = await box(t, "public", { headMs: 200 });

  assert.equal(
    await told(path, `CONNECT web.example:80 HTTP/1.1\r\nX: ${"x".repeat(9000)}`),
    "431 egress failed: the request's head is larger than 8192 bytes",
  );
  assert.equal(await told(path, "CONNECT web."), "408 egress failed: no complete request within 200 ms");
});

test("garbage of every kind leaves the gate alive", async (t) => {
  const { path } = await box(t, "public");
  const pieces = [
    "\0\0\0\0",
    "\r\n\r\n",
    "CONNECT ",
    ":80 HTTP/1.1\r\n\r\n",
    "\xff\xfe",
    "[::]",
    "%00",
    "é".repeat(400),
  ];
  for (let seed = 0; seed < 200; seed += 1) {
    const socket = await dial(path);
    socket.on("error", () => {});
    socket.write([seed, seed * 7, seed * 13].map((at) => pieces[at % pieces.length]).join(""));
    if (seed % 3 === 0) socket.destroy();
    else socket.end();
    socket.resume();
  }

  assert.match(await get(path, "web.example:80"), /hello /);
});

// --- limits ---

test("one connection too many is refused, and the others live on", async (t) => {
  const { path } = await box(t, "public", { connections: 10 });
  const open = await Promise.all(Array.from({ length: 10 }, () => tunnel(path, "web.example:7777")));

  assert.equal(await asked(path, "web.example:7777"), "403 egress denied: more than 10 connections at once");
  for (const socket of open) socket.end("still here");
  const echoes = await Promise.all(open.map((socket) => text(socket)));

  assert.deepEqual(new Set(echoes), new Set(["still here"]));
  for (const socket of open) socket.destroy();
});

const ENDED: readonly (readonly [what: string, limits: Partial<EgressLimits>, route: string, line: RegExp])[] = [
  ["receives too much", { bytesEachWay: MIB }, `/large?bytes=${8 * MIB}`, /has received more than 1048576 bytes$/],
  ["is idle", { idleMs: 200 }, "/slow", /was idle for 200 ms$/],
  ["lives too long", { lifeMs: 300 }, "/slow", /was open for 300 ms$/],
];

for (const [what, limits, route, line] of ENDED)
  test(`a connection that ${what} is ended`, async (t) => {
    const { path, id } = await box(t, "public", limits);
    const socket = await tunnel(path, "web.example:80");

    socket.write(`GET ${route} HTTP/1.1\r\nHost: web.example\r\n\r\n`);
    await closed(socket);

    assert.match(await firstLine(id), line);
  });

test("a connection that sends too much is ended", async (t) => {
  const { path, id } = await box(t, "public", { bytesEachWay: MIB });
  const socket = await tunnel(path, "web.example:7777");

  socket.write(Buffer.alloc(4 * MIB));
  await closed(socket);

  assert.match(await firstLine(id), /to web\.example:7777 has sent more than 1048576 bytes$/);
});

test("a box that is denied in a loop fills no log", async (t) => {
  const { path, id } = await box(t, "none");

  for (let times = 0; times < 30; times += 1) await asked(path, "web.example:80");

  await until(() => linesOf(id).length >= 20);
  assert.equal(linesOf(id).length, 20);
  assert.match(linesOf(id)[19] ?? "", /\(more of this sandbox are not shown\)$/);
});

// --- boxes and the process ---

test("releasing a box ends its connections and removes its socket; other boxes keep theirs", async (t) => {
  const one = await box(t, "public");
  const other = await box(t, "public");
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
  const shut = await box(t, "none");
  const open = await box(t, "public");

  assert.match(await get(open.path, "web.example:80"), /hello /);
  assert.match(await asked(shut.path, "web.example:80"), /^403 /);
});

test("no gate runs before a box connects that may, nor for one that may not", async (t) => {
  const own = await openGate({});
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
  const own = await openGate({});
  t.after(() => own.close());
  const before = gates();
  const paths = await Promise.all([1, 2, 3].map((id) => own.admit(id)));
  for (const id of [1, 2, 3]) own.setPolicy(id, "public");

  const answers = await Promise.all([...paths, ...paths, ...paths].map((path) => get(path, "web.example:80")));

  for (const answer of answers) assert.match(answer, /hello /);
  assert.equal(gates().length, before.length + 1);
});

test("a box without network that goes on connecting is not listened to any more", async (t) => {
  const { path } = await box(t, "none");
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
  const launcher = [...internet.launcher, "setpriv", "--groups=4"] as const; // a group to lose
  const own = await openGate({}, launcher);
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
  const one = await box(t, "public", {});
  const otherPath = await one.gate.admit(++lastBox);
  one.gate.setPolicy(lastBox, "none");
  const open = await tunnel(one.path, "web.example:7777");
  const told = log.length;
  const killed = newestGate();

  process.kill(killed, "SIGKILL");
  await closed(open);
  await until(() => log.length > told);

  assert.equal(log[told], "the egress gate ended unexpectedly (SIGKILL); it is started again when it is needed");
  assert.equal(gates().includes(killed), false);
  for (let times = 0; times < 2; times += 1) {
    assert.match(await get(one.path, "web.example:80"), /hello /);
    assert.match(await asked(one.path, "10.0.0.5:80"), /^403 .* is private$/);
    assert.match(await asked(otherPath, "web.example:80"), /^403 egress denied: no network/);
    process.kill(newestGate(), "SIGKILL");
    await until(() => log.at(-1)?.includes("ended unexpectedly") === true);
  }
});

test("a gate that cannot be started lets nobody out, and says why", async (t) => {
  const own = await openGate({}, ["false"] as unknown as typeof internet.launcher);
  t.after(() => own.close());
  const path = await own.admit(++lastBox);
  own.setPolicy(lastBox, "public");

  assert.match(
    await asked(path, "web.example:80"),
    /^502 egress failed: the egress gate ended at start \(exit code 1\)$/,
  );
  assert.match(log.at(-1) ?? "", /cannot be started|ended at start/);
});

test("what a killed server left is swept by the next one", async (t) => {
  const gone = spawn("sleep", ["60"]);
  const folder = join(tmpdir(), `cloche-gate-${ownMark(gone.pid)}-left`);
  mkdirSync(folder);
  gone.kill("SIGKILL");
  await once(gone, "exit");

  await box(t, "none", {});

  assert.equal(existsSync(folder), false);
});

// --- the server's own connections ---

test("the server connects through the gate, by the policy that it names", async (t) => {
  const own = await openGate({});
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
  const own = await openGate({});
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
  const own = await openGate({ connections: 3 });
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

/** The processes of all gates of this test, oldest first, as the kernel lists them: the numbers of newer ones may be lower. */
function gates(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ").map(Number);
  return children.filter((pid) => /gate-main/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8")));
}

function newestGate(): number {
  return gates().at(-1) ?? 0;
}

/** What was told about a box, without its number. */
function linesOf(id: number): string[] {
  const start = `sandbox ${id}: `;
  return log.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
}

async function firstLine(id: number): Promise<string> {
  await until(() => linesOf(id).length > 0);
  return linesOf(id)[0] ?? "";
}

function rssBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

/** Resolves when the other side has ended the connection, in whatever way. */
async function closed(socket: Socket): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
  });
  socket.on("error", () => {});
  socket.on("end", () => socket.destroy());
  socket.resume();
  await within(gone);
}

/** A gate that waits where it should act fails its test, instead of holding it up. */
async function within<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = systemClock.after(30_000, () => late.reject(new Error("it did not happen within 30 s")));
  return Promise.race([promise, late.promise]).finally(cancel);
}

async function until(condition: () => boolean): Promise<void> {
  for (let waits = 0; !condition(); waits += 1) {
    assert.ok(waits < 3_000, "it did not happen within 30 s");
    await sleep(10);
  }
}
