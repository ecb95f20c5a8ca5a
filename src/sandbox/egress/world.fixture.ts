// The far side of `internet.fixture.ts`: web servers and a name server, started in a network namespace of their own.
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, isIPv4, type Server } from "node:net";
import { type Duplex, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

/** The addresses of one name at one time. */
export type Records = readonly string[];

export type ToWorld =
  | {
      readonly t: "serve";
      readonly resolver: string;
      readonly certificate: { readonly cert: string; readonly key: string };
    }
  | { readonly t: "name"; readonly name: string; readonly answers: readonly Records[] }
  | { readonly t: "publish"; readonly path: string; readonly answer: Published }
  | { readonly t: "count"; readonly name: string };

/** What every web server of the world answers for a path. */
export type Published = { readonly base64: string } | { readonly location: string };

export interface FromWorld {
  readonly question: number;
  readonly count: number;
}

const A = 1;
const AAAA = 28;
const CHUNK = Buffer.alloc(65_536, "x");
/** Answers after this long, for tests of time limits. */
const SLOW_MS = 3_000;

const names = new Map<string, { readonly answers: readonly Records[]; asked: number }>();

const published = new Map<string, Published>();

process.on("message", (message: ToWorld & { question: number }) => void answer(message));
process.on("disconnect", () => process.exit(0));
process.send?.({ question: 0, count: 0 } satisfies FromWorld);

async function answer(message: ToWorld & { question: number }): Promise<void> {
  if (message.t === "serve") {
    await Promise.all([
      listen(createServer(onRequest).on("upgrade", onUpgrade), 80),
      listen(createServer(onRequest), 8080),
      listen(createServer(onRequest), 22),
      listen(createSecureServer(message.certificate, onRequest), 443),
      listen(echoServer(), 7777),
      listen(greeter(), 7778),
      serveNames(message.resolver),
    ]);
  }
  if (message.t === "name") names.set(message.name, { answers: message.answers, asked: 0 });
  if (message.t === "publish") published.set(message.path, message.answer);
  const count = message.t === "count" ? (names.get(message.name)?.asked ?? 0) : 0;
  process.send?.({ question: message.question, count } satisfies FromWorld);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => {
    server.listen(port, "::", resolve);
  });
}

/** Fast rather than small: nobody else in the world is answered meanwhile, and at its best Brotli takes seconds for a bomb. */
const FAST = { level: 1, params: { [constants.BROTLI_PARAM_QUALITY]: 2 } };
const PACKERS: { readonly [name: string]: (data: Buffer | string) => Buffer } = {
  gzip: (data) => gzipSync(data, FAST),
  deflate: (data) => deflateSync(data, FAST),
  "deflate-raw": (data) => deflateRawSync(data, FAST),
  br: (data) => brotliCompressSync(data, FAST),
};

const together: (() => void)[] = [];

function onRequest(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "", "http://world");
  const answer = published.get(url.pathname);
  if (answer !== undefined) {
    answerPublished(response, answer);
    return;
  }
  const param = (name: string, fallback = ""): string => url.searchParams.get(name) ?? fallback;
  switch (url.pathname) {
    case "/redirect":
      response.writeHead(Number(param("status", "302")), { location: param("to") }).end();
      break;
    case "/redirect-on":
      response.writeHead(302, { location: `/redirect-on?n=${Number(param("n")) + 1}` }).end();
      break;
    case "/packed": {
      // `bytes` zeros or the text `data`, packed as `as` says.
      const data = url.searchParams.has("bytes") ? Buffer.alloc(Number(param("bytes"))) : param("data");
      const packed = PACKERS[param("as")]?.(data) ?? Buffer.from(param("data"));
      response.writeHead(200, { "content-encoding": param("called", param("as")) }).end(packed);
      break;
    }
    case "/short": // less than it says
      response.writeHead(200, { "content-length": "100" });
      response.write("only this", () => response.destroy());
      break;
    case "/raw": // no HTTP at all, or a strange one
      request.socket.end(param("text").replace("{fill}", "x".repeat(Number(param("fill")))));
      break;
    case "/status":
      response.writeHead(Number(param("code")), { "x-one": ["first", "second"] }).end("the body");
      break;
    case "/echo":
    case "/chat/completions":
    case "/v1/messages":
    case "/emails":
      void echo(request, response);
      break;
    case "/large":
      Readable.from(chunks(Number(url.searchParams.get("bytes")))).pipe(response);
      break;
    case "/together": // as large as `bytes`, and sent when `of` requests have come
      together.push(() => Readable.from(chunks(Number(param("bytes")))).pipe(response));
      if (together.length === Number(param("of"))) for (const begin of together.splice(0)) begin();
      break;
    case "/slow":
      void sleep(SLOW_MS).then(() => response.end("late"));
      break;
    case "/count": {
      let bytes = 0;
      request.on("data", (chunk: Buffer) => (bytes += chunk.length));
      request.on("end", () => response.end(String(bytes)));
      break;
    }
    default:
      response.end(`hello ${request.headers.host} from ${request.socket.remotePort}`);
  }
}

function answerPublished(response: ServerResponse, answer: Published): void {
  if ("location" in answer) response.writeHead(302, { location: answer.location }).end();
  else response.end(Buffer.from(answer.base64, "base64"));
}

/** Answers what the request asks for (`answerFor`), else the request itself as JSON. */
async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const body = Buffer.concat(parts).toString("utf8");
  const { method, url, headers } = request;
  const planned = answerFor(body);
  response.writeHead(planned?.status ?? 200, { "content-type": "application/json" });
  response.end(planned?.text ?? JSON.stringify({ method, url, headers, body }));
}

/** A provider's answer is told by the text that is sent to it: `answer 429 {"error":…}`. */
function answerFor(body: string): { readonly status: number; readonly text: string } | undefined {
  let planned: string | undefined;
  JSON.stringify(body.startsWith("{") ? JSON.parse(body) : {}, (_name, value: unknown) => {
    if (typeof value === "string" && value.startsWith("answer ")) planned = value;
    return value;
  });
  const [, status = "", text = ""] = /^answer (\d+) (.*)$/s.exec(planned ?? "") ?? [];
  return planned === undefined ? undefined : { status: Number(status), text };
}

/** A WebSocket that says one thing (RFC 6455). */
function onUpgrade(request: IncomingMessage, socket: Duplex): void {
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
  socket.write(`Sec-WebSocket-Accept: ${accept}\r\n\r\n\x81\x05hello`, "latin1");
  socket.on("error", () => {}).on("data", () => socket.destroy()); // the other side's close
}

function* chunks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left);
}

/** Says what it has heard when the other side has ended. */
function echoServer(): Server {
  return createTcpServer({ allowHalfOpen: true }, (socket) => {
    const heard: Buffer[] = [];
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => heard.push(chunk));
    socket.on("end", () => socket.end(Buffer.concat(heard)));
  });
}

/** Speaks first, ends, and goes on listening. */
function greeter(): Server {
  return createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.end("220 welcome");
    socket.resume();
  });
}

function serveNames(address: string): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address: from }) => socket.send(nameAnswer(query), port, from));
  return new Promise((resolve) => {
    socket.bind(53, address, resolve);
  });
}

/** RFC 1035: the question again, with the records of its type. */
function nameAnswer(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(12, at + 5);
  const entry = names.get(labels.join("."));
  const now = entry?.answers[Math.min(entry.asked, entry.answers.length - 1)] ?? [];
  if (entry !== undefined && type === A) entry.asked += 1;
  const wanted = now.filter((address) => (isIPv4(address) ? type === A : type === AAAA));
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(entry === undefined ? 0x8183 : 0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(wanted.length, 6);
  return Buffer.concat([header, question, ...wanted.map(record)]);
}

function record(address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split(".").map(Number)) : ipv6Bytes(address);
  const head = Buffer.from("c00c00000001000000000000", "hex"); // the question's name, class IN, no caching
  head.writeUInt16BE(isIPv4(address) ? A : AAAA, 2);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): Buffer {
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1); // no dotted part any more
  const [before = "", after] = plain.split("::");
  const left = before === "" ? [] : before.split(":");
  const right = after === undefined || after === "" ? [] : after.split(":");
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill("0"), ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}
