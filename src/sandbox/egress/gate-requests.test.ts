// What is no request, and what is too much.
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { GateUnderTest, dial, tunnel, told, asked, get, closed, until } from "./gate-under-test.fixture.ts";
import { type EgressLimits } from "./limits.ts";

const MIB = 1024 * 1024;
const under = GateUnderTest.ofThisFile();

test("everything but CONNECT is refused", async (t) => {
  const { path } = await under.box(t, "public");
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
  const { path } = await under.box(t, "public", { headMs: 200 });

  assert.equal(
    await told(path, `CONNECT web.example:80 HTTP/1.1\r\nX: ${"x".repeat(9000)}`),
    "431 egress failed: the request's head is larger than 8192 bytes",
  );
  assert.equal(await told(path, "CONNECT web."), "408 egress failed: no complete request within 200 ms");
});

test("garbage of every kind leaves the gate alive", async (t) => {
  const { path } = await under.box(t, "public");
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

test("one connection too many is refused, and the others live on", async (t) => {
  const { path } = await under.box(t, "public", { connections: 10 });
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
    const { path, id } = await under.box(t, "public", limits);
    const socket = await tunnel(path, "web.example:80");

    socket.write(`GET ${route} HTTP/1.1\r\nHost: web.example\r\n\r\n`);
    await closed(socket);

    assert.match(await under.firstLine(id), line);
  });

test("a connection that sends too much is ended", async (t) => {
  const { path, id } = await under.box(t, "public", { bytesEachWay: MIB });
  const socket = await tunnel(path, "web.example:7777");

  socket.write(Buffer.alloc(4 * MIB));
  await closed(socket);

  assert.match(await under.firstLine(id), /to web\.example:7777 has sent more than 1048576 bytes$/);
});

test("a box that is denied in a loop fills no log", async (t) => {
  const { path, id } = await under.box(t, "none");

  for (let times = 0; times < 30; times += 1) await asked(path, "web.example:80");

  await until(() => under.linesOf(id).length >= 20);
  assert.equal(under.linesOf(id).length, 20);
  assert.match(under.linesOf(id)[19] ?? "", /\(more of this sandbox are not shown\)$/);
});
