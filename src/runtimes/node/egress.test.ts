import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { promisify } from "node:util";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { Internet } from "../../sandbox/egress/internet.fixture.ts";

const WEB = "93.184.216.34";
const SHIM = join(import.meta.dirname, "shim", "egress.cjs");
const LONGEST_RUN_MS = 20_000;

let internet: Internet;
let gate: EgressGateProcess;
let lastBox = 0;

before(async () => {
  internet = await Internet.open();
  await internet.setName("web.example", [WEB]);
  await internet.setName("private.example", ["10.0.0.5"]);
  const onLost = (reason: string): never => assert.fail(reason);
  gate = await EgressGateProcess.open({ log: () => {}, onLost, launcher: internet.launcher });
});

after(async () => {
  await gate?.close();
  await internet?.close();
});

/**
 * What `code` returns in a process that has no network but the gate. Ends by itself only if nothing is left open, once the
 * shim has closed the connections.
 */
async function run(t: TestContext, code: string, policy: EgressPolicy | "no gate" = "public"): Promise<unknown> {
  const id = ++lastBox;
  const path = await gate.admit(id);
  t.after(() => gate.release(id));
  if (policy !== "no gate") gate.setPolicy(id, policy);
  const program = `
    const { prepareEgress, closeConnections } = require(${JSON.stringify(SHIM)});
    const code = ${JSON.stringify(code)};
    prepareEgress(code, ${JSON.stringify(policy === "no gate" ? "/run/no-egress.sock" : path)});
    const tell = (value) => { process.stdout.write(JSON.stringify(value)); closeConnections(); };
    const AsyncFunction = (async () => {}).constructor;
    new AsyncFunction("require", code)(require).then(tell, ({ name, message, code, cause }) =>
      tell({ name, message, code, cause: cause?.message, causeCode: cause?.code }));`;
  const { stdout } = await promisify(execFile)("unshare", ["--net", process.execPath, "-e", program], {
    env: { NODE_EXTRA_CA_CERTS: internet.caFile },
    timeout: LONGEST_RUN_MS,
  });
  return JSON.parse(stdout);
}

const READ = `const read = (response) => new Promise((resolve, reject) => {
  let text = ""; response.on("data", (chunk) => (text += chunk)).on("end", () => resolve(text)).on("error", reject); });`;

// --- what works ---

test("fetch speaks http and https, and keeps connections alive within a run", async (t) => {
  const answers = await run(
    t,
    `const get = async (url) => (await fetch(url)).text();
     const first = [await get("http://web.example/"), await get("https://web.example/")];
     await new Promise((resolve) => setTimeout(resolve, 10)); // undici frees a connection a moment after its answer
     return [...first, await get("https://web.example/")];`,
  );

  const [plain, first, second] = answers as string[];
  assert.match(plain ?? "", /^hello web\.example from /);
  assert.match(first ?? "", /^hello web\.example from /);
  assert.equal(second, first, "the same connection");
});

test("fetch that is reached by a computed name works as well", async (t) => {
  assert.match(
    String(await run(t, 'return (await globalThis["fet" + "ch"]("https://web.example/")).text()')),
    /^hello /,
  );
});

test("fetch uploads and downloads much", async (t) => {
  const bytes = 16_777_216;
  const code = `
    const up = await (await fetch("https://web.example/count", { method: "POST", body: Buffer.alloc(${bytes}) })).text();
    const down = (await (await fetch("https://web.example/large?bytes=${bytes}")).arrayBuffer()).byteLength;
    return [Number(up), down];`;

  assert.deepEqual(await run(t, code), [bytes, bytes]);
});

test("http.get and https.get work, with Node's own agent and with one that keeps connections", async (t) => {
  const code = `${READ}
    const http = require("http"), https = require("https");
    const get = (client, url, options) => new Promise((resolve, reject) =>
      client.get(url, options, (response) => resolve(read(response))).on("error", reject));
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    return [
      await get(http, "http://web.example:8080/", {}),
      await get(https, "https://web.example/", {}),
      await get(https, "https://web.example/", { agent: false }),
      await get(https, "https://web.example/", { agent }),
      await get(https, "https://web.example/", { agent }),
    ];`;

  const answers = (await run(t, code)) as string[];

  for (const answer of answers) assert.match(answer, /^hello web\.example/);
  assert.equal(answers[3], answers[4], "the same connection");
});

test("imported modules are connected, too", async (t) => {
  const code = `${READ}
    const { get } = await import("node:https");
    return new Promise((resolve, reject) => get("https://web.example/", (r) => resolve(read(r))).on("error", reject));`;

  assert.match(String(await run(t, code)), /^hello /);
});

test("a WebSocket is connected", async (t) => {
  const code = `
    const socket = new WebSocket("ws://web.example/");
    const said = await new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = reject;
    });
    socket.close();
    return said;`;

  assert.equal(await run(t, code), "hello");
});

test("net.connect carries bytes both ways, whatever is written before it is connected", async (t) => {
  const code = `${READ}
    const net = require("net");
    const early = net.connect(7777, "web.example");
    early.end("said at once");
    const late = net.createConnection({ host: "${WEB}", port: 7777 });
    const events = [];
    for (const name of ["connect", "ready", "end", "close"]) late.on(name, () => events.push(name));
    const before = late.connecting, closed = new Promise((resolve) => late.once("close", resolve));
    await new Promise((resolve) => late.once("connect", resolve));
    late.write("one "); late.end("two");
    const texts = [await read(early), await read(late)];
    await closed;
    return [...texts, before, late.connecting, events];`;

  assert.deepEqual(await run(t, code), ["said at once", "one two", true, false, ["connect", "ready", "end", "close"]]);
});

test("tls.connect checks the certificate and the name", async (t) => {
  const code = `${READ}
    const tls = require("tls");
    const ask = async (servername) => {
      const socket = tls.connect({ host: "web.example", port: 443, servername, ALPNProtocols: ["http/1.1"] });
      socket.end("GET / HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n");
      try { return [(await read(socket)).split("\\r\\n").at(-1), socket.authorized, socket.alpnProtocol]; }
      catch (error) { return error.code; }
    };
    return [await ask("web.example"), await ask("other.example")];`;

  const [good, bad] = (await run(t, code)) as [unknown[], string];

  assert.match(String(good[0]), /^hello x/);
  assert.deepEqual(good.slice(1), [true, "http/1.1"]);
  assert.equal(bad, "ERR_TLS_CERT_ALTNAME_INVALID");
});

test("a server that speaks first is heard", async (t) => {
  const code = `${READ} return read(require("net").connect(7778, "web.example"))`;

  assert.equal(await run(t, code), "220 welcome");
});

test("a connection can be given up at any time", async (t) => {
  const code = `
    const socket = require("net").connect(80, "web.example");
    socket.destroy();
    await new Promise((resolve) => socket.once("close", resolve));
    const error = await fetch("http://web.example/slow", { signal: AbortSignal.timeout(100) }).catch((e) => e);
    return error.name;`;

  assert.equal(await run(t, code), "TimeoutError");
});

test("unix sockets of the box's own are not touched", async (t) => {
  const code = `${READ}
    const net = require("net"), path = require("path").join(require("os").tmpdir(), "own-" + process.pid);
    const server = net.createServer((socket) => socket.end("own"));
    await new Promise((resolve) => server.listen(path, resolve));
    const text = await read(net.connect(path));
    server.close();
    return text;`;

  assert.equal(await run(t, code), "own");
});

test("os.networkInterfaces is empty instead of an error", async (t) => {
  assert.deepEqual(await run(t, 'return require("os").networkInterfaces()'), {});
});

// --- what does not ---

const DENIED = "egress denied: 169.254.169.254 is link-local (cloud metadata)";

test("a denial reaches fetch as the cause of its error", async (t) => {
  assert.deepEqual(await run(t, 'return fetch("http://169.254.169.254/latest/meta-data")'), {
    name: "TypeError",
    message: "fetch failed",
    cause: DENIED,
    causeCode: "EGRESS_DENIED",
  });
});

test("a redirect to a denied address is denied", async (t) => {
  const code = 'return fetch("http://web.example/redirect?to=http://169.254.169.254/")';

  const { cause } = (await run(t, code)) as { cause: string };

  assert.equal(cause, DENIED);
});

for (const [what, code] of [
  ["http.get", 'return new Promise((_, reject) => require("http").get("http://169.254.169.254/").on("error", reject))'],
  ["https.get", 'return new Promise((_, no) => require("https").get("https://169.254.169.254/").on("error", no))'],
  [
    "net.connect",
    'return new Promise((_, reject) => require("net").connect(80, "169.254.169.254").on("error", reject))',
  ],
  ["tls.connect", 'return new Promise((_, no) => require("tls").connect(443, "169.254.169.254").on("error", no))'],
] as const)
  test(`a denial is an error of ${what}`, async (t) => {
    assert.deepEqual(await run(t, code), { name: "Error", message: DENIED, code: "EGRESS_DENIED" });
  });

test("each policy is told in its own words", async (t) => {
  const code = 'return fetch("http://private.example/")';
  const cause = async (policy: EgressPolicy | "no gate"): Promise<string> =>
    ((await run(t, code, policy)) as { cause: string }).cause;

  assert.equal(await cause("public"), "egress denied: private.example leads to 10.0.0.5, which is private");
  assert.equal(await cause(["web.example"]), "egress denied: private.example is not in the list of allowed hosts");
  assert.equal(await cause("none"), "egress denied: no network for this function (EGRESS=none)");
  assert.equal(await cause("no gate"), "no network: this function runs with EGRESS=none");
  assert.match(String(await run(t, 'return (await fetch("http://private.example/")).text()', "all")), /^hello /);
});

test("a closed port is an error that says so", async (t) => {
  const code = 'return new Promise((_, reject) => require("net").connect(9, "web.example").on("error", reject))';
  const closed = 'return new Promise((_, reject) => require("net").connect(9999, "web.example").on("error", reject))';

  assert.deepEqual(await run(t, code), {
    name: "Error",
    message: "egress denied: port 9 is not allowed",
    code: "EGRESS_DENIED",
  });
  assert.deepEqual(await run(t, closed), {
    name: "Error",
    message: "egress failed: web.example port 9999 cannot be reached (ECONNREFUSED)",
    code: "EGRESS_FAILED",
  });
});

test("a host name with a line end in it asks for nothing else", async (t) => {
  const code = `return new Promise((_, reject) =>
    require("net").connect(80, "x\\r\\nCONNECT web.example").on("error", reject))`;

  const { message } = (await run(t, code)) as { message: string };

  assert.equal(message, "egress failed: that is no host name and no address");
});

test("what Node refuses, it still refuses in its own words", async (t) => {
  const code = 'return new Promise(() => require("net").connect(70000, "web.example"))';

  assert.equal(((await run(t, code)) as { code: string }).code, "ERR_SOCKET_BAD_PORT");
});

test("code that cannot connect loads nothing", async () => {
  const code = "const { length } = [1, 2]; return length";
  const program = `
    require(${JSON.stringify(SHIM)}).prepareEgress(${JSON.stringify(code)});
    const loaded = process.moduleLoadList.includes("NativeModule net"); // process.stdout loads it, too
    process.stdout.write(String(loaded));`;

  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], { timeout: LONGEST_RUN_MS });

  assert.equal(stdout, "false");
});
