import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { Internet } from "../../sandbox/egress/internet.fixture.ts";
import type { Caller, OutboundCalls } from "../capabilities.ts";
import { callerWith } from "./function.fixture.ts";
import type { OutboundLimits } from "./limits.ts";
import { createOutbound } from "./outbound.ts";

const MIB = 1024 * 1024;
const WEB = "93.184.216.34";

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly bytes: number;
}

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let internet: Internet;
let gate: EgressGateProcess;
before(async () => {
  internet = await Internet.open();
  gate = await EgressGateProcess.open({ log: () => {}, launcher: internet.launcher });
  for (const name of ["web.example", "a.web.example", "other.example"]) await internet.setName(name, [WEB]);
});
after(async () => {
  await gate?.close();
  await internet?.close();
});

function outbound(limits: Partial<OutboundLimits> = {}): OutboundCalls {
  return createOutbound({
    connect: (target, signal) => gate.connect(target, signal),
    caFile: internet.caFile,
    clock: systemClock,
    onRecord: () => assert.fail("a request is no call to a provider"),
    limits,
  });
}

async function request(
  given: object,
  { caller = callerWith("public"), limits = {} }: { caller?: Caller; limits?: Partial<OutboundLimits> } = {},
): Promise<Answer> {
  const answer = await outbound(limits)["http.request"]?.(caller, { method: "GET", ...given });
  const { body, ...rest } = JSON.parse(answer ?? "") as Omit<Answer, "text"> & { readonly body: string };
  const decoded = Buffer.from(body, "base64");
  return { ...rest, text: decoded.toString("utf8"), bytes: decoded.length };
}

async function echoed(given: object): Promise<Echo> {
  return JSON.parse((await request(given)).text) as Echo;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("a request arrives as it was asked for, and its answer comes back whole", async () => {
  const echo = await echoed({
    ...{ method: "post", url: "http://web.example/echo?z=1&a=%20x", query: { b: "ü&=", a: "y" } },
    ...{ headers: { "X-Own": "näh", "Content-Type": "text/plain", "X-Number": 5 }, body: base64("grüße") },
  });

  assert.equal(echo.method, "POST");
  assert.equal(echo.url, "/echo?a=+x&a=y&b=%C3%BC%26%3D&z=1");
  assert.equal(echo.body, "grüße");
  assert.equal(echo.headers["host"], "web.example");
  assert.equal(echo.headers["content-type"], "text/plain");
  assert.equal(echo.headers["content-length"], "7");
  assert.equal(echo.headers["x-number"], "5");
  assert.equal(Buffer.from(echo.headers["x-own"] ?? "", "latin1").toString("utf8"), "näh");
});

test("any status is an answer, with the first value of each header", async () => {
  for (const code of [201, 404, 500]) {
    const { statusCode, headers, text } = await request({ url: `http://web.example/status?code=${code}` });
    assert.deepEqual([statusCode, headers["x-one"], text], [code, "first", "the body"]);
  }
  const head = await request({ method: "HEAD", url: "http://web.example/status?code=200" });
  assert.deepEqual([head.statusCode, head.text], [200, ""]);
});

test("HTTPS is spoken, with the certificate looked at", async () => {
  assert.match((await request({ url: "https://web.example/" })).text, /^hello web\.example/);
  await assert.rejects(request({ url: "https://other.example/" }), {
    code: "REQUEST_FAILED",
    message: "HTTP request failed: no secure connection to other.example (ERR_TLS_CERT_ALTNAME_INVALID)",
  });
  await assert.rejects(
    request({ url: `https://${WEB}/` }),
    /no secure connection to 93\.184\.216\.34 \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
  );
  const distrustful = createOutbound({
    ...{ connect: (target, signal) => gate.connect(target, signal), caFile: undefined },
    ...{ clock: systemClock, onRecord: () => {} },
  });
  await assert.rejects(
    async () => distrustful["http.request"]?.(callerWith("public"), { method: "GET", url: "https://web.example/" }),
    /no secure connection to web\.example \((?:SELF_SIGNED|UNABLE_TO)/,
  );
  await assert.rejects(request({ url: "https://web.example:80/" }), /no secure connection to web\.example \(/);
});

test("a name and password in the URL become a header", async () => {
  const { headers } = await echoed({ url: "http://me:p%40ss@web.example/echo" });

  assert.equal(headers["authorization"], `Basic ${base64("me:p@ss")}`);
});

// --- what is refused ---

const REFUSED: readonly (readonly [url: string, why: RegExp])[] = [
  ["http://127.0.0.1:8080/", /127\.0\.0\.1 is loopback$/],
  ["http://localhost/", /localhost leads to (127\.0\.0\.1|::1), which is loopback$/],
  ["http://2130706433/", /127\.0\.0\.1 is loopback$/],
  ["http://[::1]/", /::1 is loopback$/],
  ["http://10.0.0.5/", /10\.0\.0\.5 is private$/],
  ["http://169.254.169.254/latest/meta-data/", /169\.254\.169\.254 is .*metadata/],
  ["http://web.example:22/", /port 22 is not allowed$/],
  ["http://web.example/redirect?to=http://10.0.0.5/", /10\.0\.0\.5 is private$/],
  ["http://web.example/redirect?to=http://169.254.169.254/", /169\.254\.169\.254 is .*metadata/],
  ["http://web.example/redirect?to=//127.0.0.1:8080/", /127\.0\.0\.1 is loopback$/],
];

for (const [url, why] of REFUSED)
  test(`${url} is refused by the gate`, async () => {
    await assert.rejects(request({ url }), (error: Error & { code?: string }) => {
      assert.equal(error.code, "EGRESS_REFUSED");
      assert.match(error.message, /^HTTP request failed: egress denied: /);
      assert.match(error.message, why);
      return true;
    });
  });

test("the policy is the one of the version that calls", async () => {
  const url = "http://web.example/";

  assert.equal((await request({ url }, { caller: callerWith(["web.example"]) })).statusCode, 200);
  assert.equal((await request({ url: "http://10.0.0.5/" }, { caller: callerWith("all") })).statusCode, 200);
  await assert.rejects(request({ url }, { caller: callerWith("none") }), {
    code: "EGRESS_REFUSED",
    message: "HTTP request failed: egress denied: no network for this function (EGRESS=none)",
  });
  await assert.rejects(request({ url: "http://other.example/" }, { caller: callerWith(["web.example"]) }), {
    code: "EGRESS_REFUSED",
    message: "HTTP request failed: egress denied: other.example is not in the list of allowed hosts",
  });
});

test("a server without a gate lets nobody out", async () => {
  const calls = createOutbound({ connect: undefined, caFile: undefined, clock: systemClock, onRecord: () => {} });

  await assert.rejects(
    async () => calls["http.request"]?.(callerWith("public"), { method: "GET", url: "http://web.example/" }),
    { code: "EGRESS_REFUSED", message: "HTTP request failed: no network: this function runs with EGRESS=none" },
  );
});

// --- redirects ---

test("redirects are followed as browsers do", async () => {
  const follow = async (status: number, method: string): Promise<string> => {
    const to = encodeURIComponent("/echo");
    const url = `http://web.example/redirect?status=${status}&to=${to}`;
    const echo = await echoed({ method, url, body: base64("hi"), headers: { "content-type": "text/x" } });
    return [echo.method, echo.body, echo.headers["content-type"]].join(" ");
  };

  assert.equal(await follow(301, "POST"), "GET  ");
  assert.equal(await follow(302, "PUT"), "GET  ");
  assert.equal(await follow(303, "POST"), "GET  ");
  assert.equal(await follow(307, "POST"), "POST hi text/x");
  assert.equal(await follow(308, "PUT"), "PUT hi text/x");
});

test("what opens doors is not carried to another origin, nor back", async () => {
  const headers = { Authorization: "Bearer x", Cookie: "a=b", "X-Api-Key": "k", "X-Auth-Token": "t", "X-Plain": "p" };
  const seen = async (to: string): Promise<string[]> => {
    const url = `http://web.example/redirect?to=${encodeURIComponent(to)}`;
    const echo = await echoed({ url, headers });
    return Object.keys(echo.headers).filter(
      (name) => name in { authorization: 1, cookie: 1, "x-api-key": 1, "x-auth-token": 1, "x-plain": 1 },
    );
  };
  const elsewhere = ["http://other.example/echo", "http://web.example:8080/echo", "https://web.example/echo"];
  const andBack = `http://other.example/redirect?to=${encodeURIComponent("http://web.example/echo")}`;

  assert.equal((await seen("/echo")).length, 5);
  for (const to of [...elsewhere, andBack]) assert.deepEqual(await seen(to), ["x-plain"], to);
});

test("the eleventh redirect is not followed, nor one to another scheme", async () => {
  await assert.rejects(request({ url: "http://web.example/redirect-on?n=0" }), {
    message: "HTTP request failed: stopped after 10 redirects",
  });
  await assert.rejects(request({ url: "http://web.example/redirect?to=file:///etc/passwd" }), {
    message: 'HTTP request failed: redirected to a URL with the unsupported scheme "file:"',
  });
});

// --- limits ---

test("a response as large as the limit arrives, and one byte more does not", async () => {
  const url = (bytes: number): string => `http://web.example/packed?as=gzip&bytes=${bytes}`;

  assert.equal((await request({ url: "http://web.example/large?bytes=8388608" })).bytes, 8 * MIB);
  await assert.rejects(request({ url: "http://web.example/large?bytes=8388609" }), {
    message: "HTTP request failed: the response is larger than 8388608 bytes",
  });
  assert.equal((await request({ url: url(8 * MIB) })).bytes, 8 * MIB);
});

for (const as of ["gzip", "deflate", "deflate-raw", "br"])
  test(`a response in ${as} is unpacked, and a bomb of it is not`, async () => {
    const called = as.replace("-raw", "");
    const url = `http://web.example/packed?as=${as}&called=${called}`;
    const rssBefore = process.memoryUsage.rss();

    const { text, headers } = await request({ url: `${url}&data=unpacked` });

    assert.equal(text, "unpacked");
    assert.equal(headers["content-encoding"], undefined);
    await assert.rejects(request({ url: `${url}&bytes=${400 * MIB}` }), {
      message: "HTTP request failed: the response is larger than 8388608 bytes when it is unpacked",
    });
    assert.ok(process.memoryUsage.rss() - rssBefore < 100 * MIB);
  });

test("a response in a coding that nobody knows is given as it came, and one that lies is an error", async () => {
  const { text, headers } = await request({ url: "http://web.example/packed?as=own&data=as-it-is" });

  assert.deepEqual([text, headers["content-encoding"]], ["as-it-is", "own"]);
  await assert.rejects(request({ url: "http://web.example/packed?as=own&called=gzip&data=plain" }), {
    message: "HTTP request failed: the response is not gzip, as it says",
  });
});

test("the time limit holds for the whole call", async () => {
  await assert.rejects(request({ url: "http://web.example/slow", timeoutMs: 300 }), {
    code: "REQUEST_FAILED",
    message: "HTTP request failed: no complete response within 300 ms",
  });
  const limits = { timeoutMs: 200, longestMs: 400 };
  await assert.rejects(request({ url: "http://web.example/slow" }, { limits }), /within 200 ms$/);
  await assert.rejects(request({ url: "http://web.example/slow", timeoutMs: 1e9 }, { limits }), /within 400 ms$/);
  await assert.rejects(request({ url: "http://web.example:7777/", timeoutMs: 300 }), /within 300 ms$|cannot be read/);
});

test("responses of all functions together stay within their bytes, which are given back", async () => {
  const calls = outbound({ allResponsesBytes: 3 * MIB });
  const get = async (path: string): Promise<unknown> =>
    calls["http.request"]?.(callerWith("public"), { method: "GET", url: `http://web.example${path}` });
  const together = `/together?bytes=${2 * MIB}&of=4`;

  const results = await Promise.allSettled([get(together), get(together), get(together), get(together)]);
  const failures = results.filter((result) => result.status === "rejected");

  assert.ok(failures.length > 0 && failures.length < 4, `${failures.length} failed`);
  for (const { reason } of failures) assert.match(String(reason), /too many large responses; try again later/);
  for (let times = 0; times < 3; times += 1) await get(`/large?bytes=${2 * MIB}`);
});

// --- what cannot be asked for ---

const INVALID: readonly (readonly [what: string, given: object, message: RegExp])[] = [
  ["no URL", { url: "no url" }, /^failed to parse URL: "no url"$/],
  ["another scheme", { url: "ftp://web.example/" }, /unsupported protocol scheme "ftp"$/],
  ["a method that is none", { method: "CONNECT", url: "http://web.example/" }, /^method must be one of GET, /],
  [
    "a line break in a value",
    { url: "http://web.example/", headers: { a: "b\r\nHost: evil" } },
    /^headers: the value of a holds a line break/,
  ],
  [
    "a bare line feed in a value",
    { url: "http://web.example/", headers: { a: "b\nc" } },
    /^headers: the value of a holds a line break/,
  ],
  ["a NUL in a value", { url: "http://web.example/", headers: { a: "b\0c" } }, /control character$/],
  ["a line break in a name", { url: "http://web.example/", headers: { "a\r\nb": "c" } }, /is no name of a header$/],
  ["a blank in a name", { url: "http://web.example/", headers: { "a b": "c" } }, /is no name of a header$/],
  [
    "a value that is no text",
    { url: "http://web.example/", headers: { a: ["b"] } },
    /^headers: the value of a must be a text$/,
  ],
  ["headers that are none", { url: "http://web.example/", headers: ["a"] }, /^headers must be an object$/],
  ["no time at all", { url: "http://web.example/", timeoutMs: 0 }, /^timeoutMs must be more than 0$/],
  [
    "a body that is too large",
    { method: "POST", url: "http://web.example/", body: Buffer.alloc(8 * MIB + 1).toString("base64") },
    /^the request's body is larger than 8388608 bytes$/,
  ],
];

for (const [what, given, message] of INVALID)
  test(`${what} is told at once`, async () => {
    await assert.rejects(request(given), { message });
  });

test("a mistake with a long name is told in short: the frame that tells it has little room", async () => {
  for (const given of [
    { headers: { [" ".repeat(60_000)]: "x" } },
    { query: { ["q".repeat(60_000)]: [] } },
    { url: "x".repeat(60_000) },
  ])
    await assert.rejects(
      request({ url: "http://web.example/", ...given }),
      ({ message }: Error) => message.length < 500,
    );
});

test("what belongs to the connection cannot be set, so that no request hides in another", async () => {
  const { headers, body } = await echoed({
    ...{ method: "POST", url: "http://web.example/echo", body: base64("abc") },
    headers: {
      Host: "evil.example",
      "Content-Length": "1",
      "Transfer-Encoding": "chunked",
      Connection: "upgrade",
      TE: "x",
      "X-A": "1",
    },
  });

  assert.equal(headers["host"], "web.example");
  assert.equal(headers["content-length"], "3");
  assert.equal(headers["transfer-encoding"], undefined);
  assert.equal(headers["connection"], "close");
  assert.deepEqual([headers["te"], headers["x-a"], body], [undefined, "1", "abc"]);
});

test("line breaks in the URL never reach the wire", async () => {
  const { url } = await echoed({
    url: "http://web.example/echo?a=1 HTTP/1.1\r\nX: y\r\n\r\n",
    query: { "b\r\n": "c\r\nd" },
  });

  assert.doesNotMatch(url, /[\r\n ]/);
});

// --- what fails ---

test("whatever the other side does is told in our own words", async () => {
  const raw = (text: string): Promise<Answer> =>
    request({ url: `http://web.example/raw?fill=70000&text=${encodeURIComponent(text)}` });

  await assert.rejects(request({ url: "http://nothing.example/" }), {
    code: "REQUEST_FAILED",
    message: "HTTP request failed: egress failed: nothing.example could not be resolved (ENOTFOUND)",
  });
  await assert.rejects(
    request({ url: "http://web.example:9999/" }),
    /web\.example port 9999 cannot be reached \(ECONNREFUSED\)$/,
  );
  await assert.rejects(
    request({ url: "http://web.example/short" }),
    /the connection ended before the response was complete$/,
  );
  await assert.rejects(
    raw("garbage\r\n\r\n"),
    /^OutboundError: HTTP request failed: the response cannot be read \(HPE_\w+\)$/,
  );
  await assert.rejects(raw(""), /the connection ended before the response was complete$/);
  await assert.rejects(raw("HTTP/1.1 200 OK\r\nA: {fill}\r\n\r\n"), /the head of the response is too large$/);
  await assert.rejects(
    raw("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    /the response cannot be read/,
  );
});
