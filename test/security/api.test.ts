// Hostile callers: what arrives over HTTP, before any code runs.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, suite, test } from "node:test";
import { parseEvents } from "../server-under-test.ts";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";
import { eventually, javascript } from "./attacker.ts";

const MIB = 1024 * 1024;
const SLOW_CLIENTS = 300;
const ANSWER_LIMIT_MS = 20_000;
const CUT_OFF_LIMIT_MS = 13_000; // 10 s for headers, looked at every second

/** Where time is measured: other tests are on the machine, too. */
const TRIES = 3;

suite("the API", () => {
  let server: AttackedServer;
  let host: string;
  const slow: Socket[] = [];
  let cutOff = 0;
  let slowSinceMs = 0;
  before(async () => {
    server = await startAttacked({
      TIMEOUT_SCRIPT: "3",
      BODY_MAX_SIZE: "200000",
      CODE_MAX_SIZE: "100000",
      MAX_QUEUE: "20",
    });
    ({ host } = new URL(server.url));
    slowSinceMs = performance.now();
    for (let n = 0; n < SLOW_CLIENTS; n++) slow.push(drip());
  });
  after(async () => {
    for (const socket of slow) socket.destroy();
    await server.dispose();
  });

  /** A client that begins a request and never ends it; every third one has sent its headers and owes the body. */
  function drip(): Socket {
    const [hostname = "", port] = host.split(":");
    const headers = slow.length % 3 === 0 ? "Content-Length: 1000\r\n\r\n{" : "X-Slow: ";
    const socket = connect(Number(port), hostname, () =>
      socket.write(`POST /run-now HTTP/1.1\r\nHost: ${host}\r\n${headers}`),
    );
    socket.on("error", () => {}).on("close", () => cutOff++);
    socket.resume();
    return socket;
  }

  /** Sends bytes on a bare connection; resolves with what comes back before the server closes it, or is silent after it has begun. */
  function exchange(text: string, silenceMs = 1500): Promise<string> {
    return new Promise((resolve) => {
      const [hostname = "", port] = host.split(":");
      const socket = connect(Number(port), hostname, () => socket.write(text));
      let answer = "";
      socket.setEncoding("utf8").on("data", (part: string) => {
        answer += part;
        socket.setTimeout(silenceMs);
      });
      socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy());
      socket.on("error", () => {}).on("close", () => resolve(answer));
    });
  }

  async function serves(): Promise<void> {
    assert.equal(await javascript(server, "return ({}).isAdmin ?? 'well'"), "well");
  }

  for (const path of [
    "..",
    "../../etc/passwd",
    "a/../../b",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..\\..\\etc",
    "/etc/../passwd",
    "a\0b",
    "/",
  ]) {
    test(`API-03: ${JSON.stringify(path)} names no file, neither uploaded nor run`, async () => {
      const uploaded = await server.post("/upload", { path, language: "python", code: "return 'harmless'" });
      const run = await exchange(
        `POST /run/${path.replace("\0", "%00")} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );

      assert.ok([200, 400].includes(uploaded.status), String(uploaded.status));
      assert.doesNotMatch(run, /root:|daemon:/);
      assert.match(run, /^HTTP\/1\.1 (200|400|404) /);
      if (path.includes("..") && !path.includes("%")) assert.equal(uploaded.status, 400);
    });
  }

  test("API-03: errors tell no path of the host and no line of the server's own code", async () => {
    const texts = await Promise.all(
      [
        server.post("/upload", "{"),
        server.post("/run-now", { language: "cobol", code: "x" }),
        server.post("/run-now", { language: "javascript", code: "throw new Error('x')" }),
        server.post("/run-now", { language: "python", code: "raise ValueError('x')" }),
        server.post("/run-now", { language: "typescript", code: "const x: = 1" }),
        server.post("/run/none", {}),
        server.post("/%c0%ae", ""),
        fetch(`${server.url}/api/none`),
      ].map(async (response) => await (await response).text()),
    );
    for (const text of texts)
      assert.doesNotMatch(text, /node:internal|\/src\/|\.cjs|shim\.py|node_modules|cloche-attacked|\/tmp\/c/);
  });

  test("API-06: a body that is too long is refused by its length, or at the byte too many", async () => {
    const large = "x".repeat(300_000);
    assert.match(
      await exchange(`POST /run-now HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 10737418240\r\n\r\n`),
      /^HTTP\/1\.1 413 /,
    );
    assert.match(
      await exchange(
        `POST /run-now HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n${large}\r\n0\r\n\r\n`,
      ),
      /^HTTP\/1\.1 413 /,
    );
    assert.equal((await server.post("/run-now", { language: "python", code: `# ${"x".repeat(150_000)}` })).status, 413);
    await serves();
  });

  for (const [what, lines] of [
    ["a length that lies", "Content-Length: 5\r\n\r\n{}GET / HTTP/1.1\r\n\r\n"],
    ["a negative length", "Content-Length: -1\r\n\r\n"],
    ["a length that is no number", "Content-Length: 0x10\r\n\r\n"],
  ] as const) {
    test(`API-06: ${what} is refused`, async () => {
      assert.match(await exchange(`POST /run-now HTTP/1.1\r\nHost: ${host}\r\n${lines}`), /^HTTP\/1\.1 400 /);
    });
  }

  test("API-07: 300 clients that never end their request hold nobody up", async () => {
    const theyAreAtIt = (): boolean => cutOff < SLOW_CLIENTS / 10;
    assert.ok(theyAreAtIt());
    const triesMs: number[] = [];
    while (triesMs.length < TRIES && (triesMs.at(-1) ?? Infinity) >= 100 && theyAreAtIt())
      triesMs.push(await usualMs(serves));
    assert.ok((triesMs.at(-1) ?? Infinity) < 100, triesMs.join());
  });

  for (const [what, head] of [
    ["a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"],
    ["chunks by two names", "Transfer-Encoding: identity, chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"],
    ["a folded header", "X-A: 1\r\n  folded\r\nContent-Length: 2\r\n\r\n{}"],
    ["a space before the colon", "Content-Length : 2\r\n\r\n{}"],
    ["bare line feeds", "Content-Length: 2\nX-A: 1\n\n{}"],
    ["a second host", "Host: evil.example\r\nContent-Length: 2\r\n\r\n{}"],
    ["NUL in a header", "X-A: \0\r\nContent-Length: 2\r\n\r\n{}"],
    ["a chunk extension with a line feed", "Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n{}\r\n0\r\n\r\n"],
  ] as const) {
    test(`API-10: a request with ${what} is refused`, async () => {
      assert.match(await exchange(`POST /run/none HTTP/1.1\r\nHost: ${host}\r\n${head}`), /^HTTP\/1\.1 40[03] /);
    });
  }

  for (const [what, headers] of [
    ["with a foreign origin", { Origin: "https://evil.example" }],
    ["from a sandboxed frame", { Origin: "null" }],
    ["as a form would send it", { Origin: "https://evil.example", "Content-Type": "text/plain" }],
    [
      "that asks to become a WebSocket",
      { Origin: "https://evil.example", Upgrade: "websocket", Connection: "Upgrade" },
    ],
  ] as const) {
    test(`API-12, API-20: a post ${what} is refused, and nothing runs`, async () => {
      const body = '{"language":"javascript","code":"return 1"}';
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const answer = await exchange(
        `POST /run-now HTTP/1.1\r\nHost: ${host}\r\n${lines.join("")}Content-Length: ${body.length}\r\n\r\n${body}`,
      );
      assert.match(answer, /^HTTP\/1\.1 403 /);
      assert.doesNotMatch(answer, /Access-Control-Allow/i);
    });
  }

  test("API-12: a name that somebody points at loopback is refused", async () => {
    for (const name of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::ffff:10.0.0.1]", ""]) {
      assert.match(
        await exchange(`GET /api/system HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`),
        /^HTTP\/1\.1 40[03] /,
        name,
      );
    }
  });

  for (const body of [
    '{"__proto__":{"isAdmin":true},"language":"javascript","code":"return ({}).isAdmin ?? \'clean\'"}',
    '{"constructor":{"prototype":{"isAdmin":true}},"language":"javascript","code":"return ({}).isAdmin ?? \'clean\'"}',
    '{"language":"javascript","code":"return ({}).isAdmin ?? \'clean\'","input":{"__proto__":{"isAdmin":true}}}',
    '{"language":"javascript","code":"return ({}).isAdmin ?? \'clean\'","input":"{\\"__proto__\\":{\\"isAdmin\\":true}}"}',
  ]) {
    test(`API-16: ${body.slice(0, 40)}… pollutes nothing`, async () => {
      const answer = await server.post("/run-now?a[__proto__]=1&__proto__[isAdmin]=1", body);
      assert.deepEqual(await answer.json(), { data: "clean", type: "string" });
      await serves();
      assert.equal((await server.run("__proto__")).status, 404);
      assert.equal((await server.run("constructor")).status, 404);
    });
  }

  const FORGED = 'x\\r\\n\\u001b[2J\\u2028event: admin\\ndata: owned\\n\\n\\0{\\"level\\":\\"fatal\\"}';
  test("API-18: what a function prints reaches neither the server's log nor its terminal", async () => {
    const logBefore = server.stderr;
    await server.runNow({ language: "javascript", code: `console.log("${FORGED}"); console.error("${FORGED}")` });
    await server.runNow({ language: "javascript", code: `throw new Error("${FORGED}")` });
    await server.post("/upload", { path: "a\r\nforged: line", language: "python\r\nforged: line", code: "x" });
    await exchange(`GET /\x1b[2J HTTP/1.1\r\nHost: ${host}\r\nOrigin: \x1b[2J\r\n\r\n`);
    await serves();

    assert.equal(server.stderr, logBefore);
  });

  test("API-19: what a function prints is data of our events, and never an event", async () => {
    const code = `console.log("${FORGED}"); console.log("data: x"); return "${FORGED}"`;
    const response = await server.post("/run-now", { language: "javascript", code, stream: true });
    const events = parseEvents(await response.text());

    assert.deepEqual([...new Set(events.map(({ event }) => event))], ["log", "result"]);
    assert.equal(events.filter(({ event }) => event === "result").length, 1);
  });

  test("API-20: a reader that stops costs the server no more than the output that a run may have", async () => {
    const before = (await server.system()).memoryBytes;
    const body = JSON.stringify({
      language: "javascript",
      code: "for (;;) console.log('x'.repeat(10000))",
      stream: true,
    });
    const [hostname = "", port] = host.split(":");
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(`POST /run-now HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await eventually("the flood is over", async () => {
      const { workers } = (await server.system()).pool;
      return workers.every(({ state }) => state !== "busy");
    });
    const grownBytes = (await server.system()).memoryBytes - before;
    socket.destroy();

    assert.ok(grownBytes < 48 * MIB, `grew by ${grownBytes / MIB} MiB`);
    await serves();
  });

  for (const version of ["-1", "NaN", "1e309", "0x10", "99999999999999999999", "1;drop", "%00", "' OR 1=1 --"]) {
    test(`API-23: version=${version} is another version or none, never an error of ours`, async () => {
      await server.upload("numbered", "javascript", "return 'latest'");
      const answer = await server.run(`numbered?version=${encodeURIComponent(version)}`);
      assert.ok([200, 400, 404].includes(answer.status), answer.text);
    });
  }

  test("API-23, API-03: names that are SQL are names", async () => {
    const names = [
      "'; DROP TABLE versions; --",
      "a' OR '1'='1",
      '"; ATTACH DATABASE "/tmp/x" AS x; --',
      "%' --",
      "a_c",
    ];
    for (const [index, name] of names.entries()) await server.upload(name, "javascript", `return ${index}`);
    for (const [index, name] of names.entries()) {
      assert.deepEqual((await server.run(encodeURIComponent(name))).json, { data: index, type: "number" }, name);
    }
    assert.equal((await server.run("abc")).status, 404);
  });

  test("API-24: names that look alike are different functions, and too long ones are refused", async () => {
    const composed = ["\u00e9", "e\u0301"];
    const cyrillic = "\u0430dmin";
    const names = [
      ...composed,
      "admin",
      cyrillic,
      "nimda\u202e",
      "a\u200bb",
      "ab",
      "\u00df",
      "SS",
      "\uff46",
      "f",
      "x".repeat(1018),
    ];
    for (const [index, name] of names.entries()) await server.upload(`alike/${name}`, "javascript", `return ${index}`);
    for (const [index, name] of names.entries()) {
      const answer = await server.run(encodeURIComponent(`alike/${name}`));
      assert.deepEqual(answer.json, { data: index, type: "number" }, name);
    }
    const tooLong = await server.post("/upload", { path: "ü".repeat(513), language: "python", code: "return 1" });
    assert.equal(tooLong.status, 400);
  });

  for (const [what, request, status] of [
    ["TRACE", "TRACE / HTTP/1.1", 405],
    ["CONNECT", "CONNECT 127.0.0.1:22 HTTP/1.1", 40],
    ["a method that does not exist", "BREW / HTTP/1.1", 40],
    ["a URL of 64 KiB", `GET /${"a".repeat(65_536)} HTTP/1.1`, 431],
    [
      "2000 headers",
      `GET / HTTP/1.1\r\n${Array.from({ length: 2000 }, (_, n) => `X-${n}: ${"v".repeat(20)}`).join("\r\n")}`,
      431,
    ],
    ["an absolute URL of another host", "GET http://169.254.169.254/latest HTTP/1.1", 40],
  ] as const) {
    test(`API-25: ${what} is refused, and the server serves on`, async () => {
      const answer = await exchange(`${request}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      assert.match(answer, status === 40 ? /^(HTTP\/1\.1 4\d\d |$)/ : new RegExp(`^HTTP/1\\.1 ${status} `));
      await serves();
    });
  }

  for (const [what, path] of [
    ["a path of slashes", `/run/${"/".repeat(7000)}!`],
    ["a path of percent signs", `/run/${"%25".repeat(4000)}`],
    ["a query of pairs", `/run/none?${"a=1&".repeat(3500)}version=1`],
    ["a query of brackets", `/run/none?${"a[".repeat(6000)}`],
  ] as const) {
    test(`RES-19: ${what} keeps the server busy for less than 50 ms`, async () => {
      const tookMs: number[] = [];
      while (tookMs.length < 10 && (tookMs.at(-1) ?? Infinity) >= 50) {
        const startedMs = performance.now();
        await (await server.post(path, "{}")).text();
        tookMs.push(performance.now() - startedMs);
      }
      assert.ok((tookMs.at(-1) ?? Infinity) < 50, tookMs.join());
    });
  }

  test("RES-18: a pattern that backtracks for ever is over at its time, and delays nobody", async () => {
    const bombs = [
      server.runNow({ language: "javascript", code: 'return /^(a+)+$/.test("a".repeat(40) + "b")' }),
      server.runNow({ language: "python", code: "import re\nreturn re.match('^(a+)+$', 'a' * 40 + 'b')" }),
    ];
    await serves();
    assert.deepEqual(
      (await Promise.all(bombs)).map(({ status }) => status),
      [504, 504],
    );
  });

  test("RES-23: of 500 cold starts at once, those beyond the line are told when to come again", async () => {
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, n) => server.runNow({ language: "javascript", code: `return ${n}` })),
    );
    const refused = answers.filter(({ status }) => status === 503);

    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 503]));
    for (const { headers } of refused) assert.ok(Number(headers.get("retry-after")) >= 1);
    for (const [n, { status, json }] of answers.entries())
      if (status === 200) assert.deepEqual(json, { data: n, type: "number" });
    await server.settled();
    await serves();
  });

  test("RES-26: with every box at its CPU limit the server still answers within 100 ms", async () => {
    const { maxWorkers } = (await server.system()).pool;
    const triesMs: number[] = [];
    while (triesMs.length < TRIES && (triesMs.at(-1) ?? Infinity) >= 100) {
      const hogs = Array.from({ length: maxWorkers }, (_, n) =>
        server.runNow({ language: "python", code: `while True: pass # ${n}` }),
      );
      await eventually("every box is busy", async () => {
        const { workers } = (await server.system()).pool;
        return workers.filter(({ state }) => state === "busy").length === maxWorkers;
      });
      triesMs.push(await usualMs(async () => void (await (await fetch(`${server.url}/healthz`)).text())));
      await Promise.all(hogs);
    }
    assert.ok((triesMs.at(-1) ?? Infinity) < 100, triesMs.join());
  });

  test("API-07: clients that never end their headers are cut off", async () => {
    const unfinished = Math.floor((SLOW_CLIENTS * 2) / 3); // the others may take 30 s for their body
    await eventually(
      "they are cut off",
      () => cutOff >= unfinished,
      CUT_OFF_LIMIT_MS - (performance.now() - slowSinceMs),
    );
  });
});

/** The middle one of twenty. */
async function usualMs(work: () => Promise<void>): Promise<number> {
  const timesMs: number[] = [];
  for (let n = 0; n < 20; n++) {
    const startedMs = performance.now();
    await work();
    timesMs.push(performance.now() - startedMs);
  }
  return timesMs.toSorted((a, b) => a - b)[10] ?? Infinity;
}
