// Bodies of any size in both directions, in little memory: docs/wire-protocol.md, "Bodies".
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { FRAME_BYTES, TestServer, WINDOW_BYTES } from "./server-under-test.ts";
import { boundShim } from "./worker-under-test.ts";

const TEN_MIB = 10 * 1_048_576;

async function serve(t: TestContext, code: string, more: object = {}): Promise<TestServer> {
  return new TestServer(await boundShim(t, code, "javascript", more));
}

/** The most memory that the process has had, in bytes. */
function peakMemoryBytes(pid: number | undefined): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

/** Sends `bytes` to a handler that answers with its request's body, and checks what comes back. */
async function echo(server: TestServer, bytes: number): Promise<{ mostOnTheWay: number }> {
  const { shim } = server;
  const part = Buffer.alloc(FRAME_BYTES);
  const id = server.request({ method: "POST", streams: true });
  let sent = 0;
  let credit = WINDOW_BYTES;
  let received = 0;
  let mostOnTheWay = 0;
  for (;;) {
    while (sent < bytes && credit >= FRAME_BYTES) {
      part.fill((sent / FRAME_BYTES) % 251);
      sent += FRAME_BYTES;
      credit -= FRAME_BYTES;
      shim.send({ t: "body", id, end: sent === bytes }, part);
    }
    const frame = await shim.next();
    assert(frame !== undefined);
    if (frame.t === "credit") credit += frame.bytes ?? 0;
    if (frame.t !== "response" && frame.t !== "body") continue;
    assert.ok(frame.data.length <= FRAME_BYTES);
    for (let at = 0; at < frame.data.length; at += 1_024) {
      assert.equal(frame.data[at], Math.floor((received + at) / FRAME_BYTES) % 251);
    }
    received += frame.data.length;
    mostOnTheWay = Math.max(mostOnTheWay, sent - received);
    server.credit(id, frame.data.length);
    if (frame.end === true) break;
  }
  assert.equal(received, bytes);
  return { mostOnTheWay };
}

test("10 MiB go through a handler in both directions, and 120 MiB in no more memory than its heap takes", async (t) => {
  const server = await serve(t, "export default (request) => new Response(request.body)");
  await server.ask();
  const before = peakMemoryBytes(server.shim.child.pid);

  const { mostOnTheWay } = await echo(server, TEN_MIB);
  await echo(server, 12 * TEN_MIB);

  assert.ok(mostOnTheWay <= 2 * WINDOW_BYTES, `${mostOnTheWay} bytes were on their way`);
  const grown = peakMemoryBytes(server.shim.child.pid) - before;
  assert.ok(grown < 6.4 * TEN_MIB, `its memory grew by ${grown} bytes`); // 50 MiB, mostly garbage: it stays there
});

test("a response stops at the end of the window until there is credit", async (t) => {
  const server = await serve(
    t,
    "export const handler = async function* () { for (let n = 0; n < 64; n++) yield new Uint8Array(10_000).fill(n) }",
  );
  const id = server.request({});
  let received = 0;
  while (received < WINDOW_BYTES) {
    const frame = await server.shim.next();
    received += frame?.data.length ?? 0;
  }
  // Nothing more comes: the next frame is the one that ends another, later wait.
  const nothing = await Promise.race([
    server.shim.next(),
    new Promise((resolve) => setTimeout(resolve, 100, "nothing")),
  ]);

  assert.deepEqual([received, nothing], [WINDOW_BYTES, "nothing"]);
  server.credit(id, WINDOW_BYTES);
  server.credit(id, 640_000);
});

test("a body that the handler does not read gets no credit, and the run ends", async (t) => {
  const server = await serve(t, "export default () => new Response('no, thanks')");
  const id = server.request({ method: "POST", body: Buffer.alloc(FRAME_BYTES), streams: true });

  const frame = await server.shim.next();
  const first = frame?.t === "ready" ? await server.shim.next() : frame;

  assert.deepEqual([first?.t, first?.end, first?.body], ["response", true, "no, thanks"]);
  server.shim.send({ t: "body", id, end: true }, Buffer.alloc(FRAME_BYTES));
  assert.equal((await server.ask()).body, "no, thanks", "what came late is dropped");
});

test("credit is given as the body is read", async (t) => {
  const server = await serve(
    t,
    `export default async (request) => {
       const reader = request.body.getReader();
       const { value } = await reader.read();
       await new Promise((resolve) => setTimeout(resolve, 50));
       return new Response(String(value.length));
     }`,
  );
  const id = server.request({ method: "POST", body: Buffer.alloc(1_000), streams: true });
  server.shim.send({ t: "body", id, end: false }, Buffer.alloc(2_000));

  const seen: [string, number | undefined][] = [];
  for (let frame = await server.shim.next(); frame?.end !== true; frame = await server.shim.next()) {
    if (frame?.t !== "ready") seen.push([frame?.t ?? "", frame?.bytes]);
  }

  assert.deepEqual(seen, [["credit", 1_000]]);
});

test("the head and each chunk are sent when they are there", async (t) => {
  const server = await serve(
    t,
    `export default async () => new Response(new ReadableStream({ async start(controller) {
       const later = () => new Promise((resolve) => setTimeout(resolve, 20));
       for (const word of ["one", "two"]) { await later(); controller.enqueue(new TextEncoder().encode(word)); }
       await later(); controller.close();
     } }))`,
  );
  server.request({});
  const seen: unknown[] = [];
  for (;;) {
    const frame = await server.shim.next();
    if (frame?.t === "ready") continue;
    seen.push([frame?.t, frame?.body, frame?.end]);
    if (frame?.end === true) break;
  }

  assert.deepEqual(seen, [
    ["response", "", false],
    ["body", "one", false],
    ["body", "two", false],
    ["body", "", true],
  ]);
});

test("an error in the middle of a stream cuts it off", async (t) => {
  for (const code of [
    `export default () => new Response(ReadableStream.from((async function* () {
       yield Buffer.from("one"); await new Promise((resolve) => setTimeout(resolve, 5)); throw new Error("broken") })()))`,
    "export const handler = async function* () { yield 'one'; await new Promise((resolve) => setTimeout(resolve, 5)); throw new Error('broken') }",
    "export const handler = async function* () { yield 'one'; await 1; yield 7 }",
  ]) {
    const server = await serve(t, code);
    const { status, body, end } = await server.ask();
    assert.deepEqual([status, body, end.t], [200, "one", "error"], code);
    assert.match(JSON.parse(end.body).message, /broken|value of type number/);
    await server.shim.close();
  }
});

test("a cancelled stream is ended, and its generator is told", async (t) => {
  const server = await serve(
    t,
    `let left = false;
     async function* endless() { try { for (;;) yield new Uint8Array(65_536) } finally { left = true } }
     export const handler = (event) => event.rawPath === "/left" ? String(left) : endless()`,
    { concurrency: 2 },
  );
  const id = server.request({ path: "/endless" });
  let received = 0;
  while (received < WINDOW_BYTES) received += (await server.shim.next())?.data.length ?? 0;

  server.shim.send({ t: "cancel", id });

  const [ended] = await server.ended(id);
  assert.equal(JSON.parse(ended?.end.body ?? "").name, "AbortError");
  assert.equal((await server.ask({ path: "/left" })).body, '"true"');
});

test("a cancelled stream that waits for its next chunk is ended, and its source is told", async (t) => {
  for (const code of [
    "let told; export default (request) => new Response(request.url.endsWith('/told') ? String(told) : new ReadableStream({ cancel() { told = true } }))",
    `import { Readable } from "node:stream"; let told;
     export const handler = ({ rawPath }) => rawPath === "/told" ? new Response(String(told)) : new Readable({ read() {}, destroy(error, done) { told = true; done() } })`,
  ]) {
    const server = await serve(t, code, { concurrency: 2 });
    const id = server.request({ path: "/waits" });
    assert.equal((await server.ask({ path: "/told" })).body, "undefined");

    server.shim.send({ t: "cancel", id });

    const [ended] = await server.ended(id);
    assert.equal(JSON.parse(ended?.end.body ?? "").name, "AbortError", code);
    assert.equal((await server.ask({ path: "/told" })).body, "true", code);
    await server.shim.close();
  }
});

test("headers that are too large for a frame fail the run", async (t) => {
  const server = await serve(t, "export default () => new Response('x', { headers: { 'x-a': 'y'.repeat(70_000) } })");

  const { end } = await server.ask();

  assert.deepEqual([end.t, JSON.parse(end.body).message], ["error", "headers of more than 65528 bytes"]);
});

test("eight streams at once keep apart", async (t) => {
  const server = await serve(t, "export default (request) => new Response(request.body)", { concurrency: 8 });
  const ids = Array.from({ length: 8 }, () => server.request({ method: "POST", streams: true }));
  for (let round = 0; round < 3; round += 1) {
    for (const id of ids) server.shim.send({ t: "body", id, end: round === 2 }, `${id}`.repeat(20_000));
  }

  const ended = await server.ended(...ids);

  for (const [index, { body }] of ended.entries()) assert.equal(body, `${index + 1}`.repeat(60_000));
});
