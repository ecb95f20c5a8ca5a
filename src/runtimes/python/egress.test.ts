import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { promisify } from "node:util";

import type { EgressPolicy } from "../../core/egress-policy.ts";
import { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { Internet } from "../../sandbox/egress/internet.fixture.ts";
import { findInterpreter } from "./interpreter.ts";
import { PYTHON_FLAGS } from "./runtime.ts";

const WEB = "93.184.216.34";
const SHIM = join(import.meta.dirname, "shim");
const PYTHON = process.env["CLOCHE_TEST_PYTHON"] ?? findInterpreter()?.binary ?? "/usr/bin/python3";
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

/** What `expression` is, after `statements`, in a process that has no network but the gate. */
async function run(
  t: TestContext,
  statements: string,
  expression: string,
  policy: EgressPolicy | "no gate" = "public",
): Promise<unknown> {
  const id = ++lastBox;
  const path = await gate.admit(id);
  t.after(() => gate.release(id));
  if (policy !== "no gate") gate.setPolicy(id, policy);
  const install = `import sys; sys.path.insert(0, ${JSON.stringify(SHIM)}); import egress; egress.install(sys.argv[1])`;
  const end = `import json; print(json.dumps(${expression}))`;
  const { stdout } = await promisify(execFile)(
    "unshare",
    [
      ...["--net", PYTHON, ...PYTHON_FLAGS, "-W", "error", "-c", [install, statements, end].join("\n")],
      policy === "no gate" ? "/run/no-egress.sock" : path,
    ],
    { env: { SSL_CERT_FILE: internet.caFile }, timeout: LONGEST_RUN_MS },
  );
  return JSON.parse(stdout);
}

/** The error that a statement raises: its class, number and message. */
function errorOf(t: TestContext, statement: string, policy?: EgressPolicy | "no gate"): Promise<unknown> {
  const caught = `import errno\ntry:\n    ${statement}\n    caught = None\nexcept OSError as error:\n    caught = error`;
  return run(t, caught, "[type(caught).__name__, errno.errorcode.get(caught.errno), caught.strerror]", policy);
}

// --- what works ---

test("urllib.request speaks http and https, and checks the certificate", async (t) => {
  const code = `
import urllib.request, urllib.error
texts = [urllib.request.urlopen(url, timeout=10).read().decode() for url in ("http://web.example/", "https://web.example/")]
try:
    urllib.request.urlopen("https://${WEB}/")
except urllib.error.URLError as error:
    texts.append(type(error.reason).__name__)
`;

  const [plain, secure, wrong] = (await run(t, code, "texts")) as string[];

  assert.match(plain ?? "", /^hello web\.example/);
  assert.match(secure ?? "", /^hello web\.example/);
  assert.equal(wrong, "SSLCertVerificationError");
});

test("http.client keeps a connection and moves much", async (t) => {
  const code = `
import http.client
connection = http.client.HTTPSConnection("web.example")
def ask(*request):
    connection.request(*request)
    return connection.getresponse().read()
first, second = ask("GET", "/"), ask("GET", "/")
down = len(ask("GET", "/large?bytes=16777216"))
up = int(ask("POST", "/count", bytes(16777216)))
connection.close()
`;

  assert.deepEqual(await run(t, code, "[first == second, down, up]"), [true, 16_777_216, 16_777_216]);
});

test("asyncio.open_connection works, with TLS and without", async (t) => {
  const code = `
import asyncio
async def get(port, **options):
    reader, writer = await asyncio.open_connection("web.example", port, **options)
    writer.write(b"GET / HTTP/1.0\\r\\nHost: web.example\\r\\n\\r\\n")
    text = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return text.rpartition("\\r\\n")[2]
async def both():
    return await asyncio.gather(get(80), get(443, ssl=True))
texts = asyncio.run(both())
`;

  for (const text of (await run(t, code, "texts")) as string[]) assert.match(text, /^hello web\.example/);
});

test("a plain socket connects to a name and looks like a socket of TCP", async (t) => {
  const code = `
import socket
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.settimeout(5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.connect(("web.example", 7777))
    s.sendall(b"said")
    s.shutdown(socket.SHUT_WR)
    facts = [s.recv(100).decode(), s.family == socket.AF_INET, s.type == socket.SOCK_STREAM, s.gettimeout(),
             s.getpeername(), isinstance(s, socket.SocketType), type(s) is socket.socket]
with socket.create_connection((socket.gethostbyname("web.example"), 7778)) as s:
    facts.append(s.makefile().read())
with socket.socket() as s:
    facts.append(s.connect_ex(("web.example", 80)))
a, b = socket.socketpair()
a.sendall(b"pair"); facts.append(b.recv(10).decode()); a.close(); b.close()
`;

  assert.deepEqual(await run(t, code, "facts"), [
    ...["said", true, true, 5, ["web.example", 7777], true, true],
    ...["220 welcome", 0, "pair"],
  ]);
});

test("TLS may be wrapped around a socket before it is connected", async (t) => {
  const code = `
import socket, ssl
context = ssl.create_default_context()
with context.wrap_socket(socket.socket(), server_hostname="web.example") as s:
    s.connect(("web.example", 443))
    s.sendall(b"GET / HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n")
    text = s.makefile("rb").read().decode()
`;

  assert.match(String(await run(t, code, "text")), /hello x/);
});

test("getaddrinfo gives the name itself, as an address of TCP", async (t) => {
  const code = `
import socket
def ask(*args, **kwargs):
    try:
        return [list(info[:1]) + [info[4]] for info in socket.getaddrinfo(*args, **kwargs)]
    except socket.gaierror as error:
        return str(error.errno == socket.EAI_SERVICE)
`;

  assert.deepEqual(
    await run(t, code, '[ask("a.example", "https"), ask("::1", 80), ask(b"b", "8080", type=1), ask("c", "gopher")]'),
    [[[2, ["a.example", 443]]], [[10, ["::1", 80, 0, 0]]], [[2, ["b", 8080]]], "True"],
  );
});

// --- what does not ---

test("a denial is a PermissionError with the gate's words", async (t) => {
  const connect = (target: string): string => `__import__("socket").create_connection((${target}))`;

  assert.deepEqual(await errorOf(t, connect('"169.254.169.254", 80')), [
    "PermissionError",
    "EACCES",
    "egress denied: 169.254.169.254 is link-local (cloud metadata)",
  ]);
  assert.deepEqual(await errorOf(t, connect('"web.example", 22')), [
    "PermissionError",
    "EACCES",
    "egress denied: port 22 is not allowed",
  ]);
  assert.deepEqual(await errorOf(t, connect('"web.example", 80'), "none"), [
    "PermissionError",
    "EACCES",
    "egress denied: no network for this function (EGRESS=none)",
  ]);
  assert.deepEqual(await errorOf(t, connect('"web.example", 80'), "no gate"), [
    "PermissionError",
    "EACCES",
    "no network: this function runs with EGRESS=none",
  ]);
});

test("a failure is the error that Python has for it", async (t) => {
  const connect = (target: string): string => `__import__("socket").create_connection((${target}), timeout=5)`;

  assert.deepEqual(await errorOf(t, connect('"web.example", 9999')), [
    "ConnectionRefusedError",
    "ECONNREFUSED",
    "egress failed: web.example port 9999 cannot be reached (ECONNREFUSED)",
  ]);
  assert.deepEqual(await errorOf(t, connect('"nothing.example", 80')), [
    "gaierror",
    null,
    "egress failed: nothing.example could not be resolved (ENOTFOUND)",
  ]);
  assert.deepEqual(await errorOf(t, connect('"x\\r\\nCONNECT web.example", 80')), [
    "OSError",
    "EINVAL",
    "egress failed: that is no host name and no address",
  ]);
});

test("a connect that waits longer than its timeout is a TimeoutError", async (t) => {
  await internet.setName("silent.example", ["93.184.216.99"]);

  const [name] = (await errorOf(
    t,
    '__import__("socket").create_connection(("silent.example", 80), timeout=0.2)',
  )) as string[];

  assert.equal(name, "TimeoutError");
});

test("a redirect to a denied address is denied", async (t) => {
  const url = "http://web.example/redirect?to=http://169.254.169.254/";
  const code = `
import urllib.request, urllib.error
try:
    urllib.request.urlopen("${url}")
    said = ""
except urllib.error.URLError as error:
    said = error.reason.strerror
`;

  assert.equal(await run(t, code, "said"), "egress denied: 169.254.169.254 is link-local (cloud metadata)");
});

test("a socket that would listen on the network says that it cannot", async (t) => {
  const [name, number] = (await errorOf(t, '__import__("socket").create_server(("", 8080))')) as string[];

  assert.deepEqual([name, number], ["PermissionError", "EACCES"]);
});

test("a program without network loads no socket", async (t) => {
  assert.equal(await run(t, "import urllib.parse", '"socket" in sys.modules'), false);
});
