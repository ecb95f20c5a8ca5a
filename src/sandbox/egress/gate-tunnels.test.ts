// Through the gate: what reaches a host, and what fails on the way there.
import assert from "node:assert/strict";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";
import { test } from "node:test";
import { sleep } from "../../core/clock.ts";
import {
  GateUnderTest,
  WEB,
  WEB_V6,
  dial,
  head,
  tunnel,
  asked,
  get,
  newestGate,
  rssBytes,
} from "./gate-under-test.fixture.ts";

const MIB = 1024 * 1024;
const under = GateUnderTest.ofThisFile();

test("a box reaches a public host by name and by address, over IPv4 and IPv6", async (t) => {
  const { path } = await under.box(t, "public");
  await under.internet.setName("six.example", [WEB_V6]);

  for (const target of ["web.example:80", "six.example:8080", `${WEB}:80`, `[${WEB_V6}]:80`])
    assert.match(await get(path, target), /hello /, target);
});

test("a large download and a large upload arrive whole", async (t) => {
  const { path } = await under.box(t, "public");
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
  const { path } = await under.box(t, "public");
  const socket = await dial(path);

  socket.write("CONNECT web.example:7777 HTTP/1.1\r\n\r\nearly");
  await head(socket);
  socket.end(" and late");

  assert.equal(await text(socket), "early and late");
  socket.destroy();
});

test("a side that has ended still receives", async (t) => {
  const { path } = await under.box(t, "public");
  const socket = await tunnel(path, "web.example:7777");

  socket.end("said before the end");

  assert.equal(await text(socket), "said before the end");
  socket.destroy();
});

test("a target that has ended still receives", async (t) => {
  const { path } = await under.box(t, "public");
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
  const { path } = await under.box(t, "public");
  const socket = await tunnel(path, "web.example:80");
  socket.pause();
  const pid = newestGate();
  const rssBefore = rssBytes(pid);

  socket.write(`GET /large?bytes=${200 * MIB} HTTP/1.1\r\nHost: web.example\r\n\r\n`);
  await sleep(1_000);

  assert.ok(rssBytes(pid) - rssBefore < 24 * MIB, `the gate grew by ${rssBytes(pid) - rssBefore} bytes`);
  socket.destroy();
});

test("a name without addresses, a closed port and a silent host fail with what the system says", async (t) => {
  const { path } = await under.box(t, "public");
  await under.internet.setName("dead.example", ["93.184.216.99"]);

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
  const { path } = await under.box(t, "public");
  await under.internet.setName("two.example", ["93.184.216.99", WEB], ["93.184.216.99", WEB]);

  assert.match(await get(path, "two.example:80"), /hello /);
});
