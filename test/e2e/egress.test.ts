// The way to the network, whole: a real server with real sandboxes, in a small internet of the test's own.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { HOST_ADDRESS, Internet } from "../../src/sandbox/egress/internet.fixture.ts";
import { ServerUnderTest, type SystemReport } from "../server-under-test.ts";

const WEB = "93.184.216.34";
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const POST = `
  const [url, body] = process.argv.slice(1);
  const headers = { "content-type": "application/json" };
  fetch(url, body === undefined ? {} : { method: "POST", body, headers }).then(async (answer) => {
    process.stdout.write(JSON.stringify({ status: answer.status, text: await answer.text() }));
  });
`;

interface Answer {
  readonly status: number;
  readonly text: string;
}

let internet: Internet;
before(async () => {
  internet = await Internet.open();
  await internet.setName("web.example", [WEB]);
  await internet.setName("private.example", ["10.0.0.5"]);
  await internet.setName("moving.example", [WEB], ["127.0.0.1"]);
  execFileSync(internet.launcher[0], [...internet.launcher.slice(1), "mount", "--bind", internet.caFile, CERTIFICATES]);
});
after(() => internet?.close());

async function startIn(settings: Record<string, string>): Promise<ServerUnderTest> {
  const server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")), settings, internet.launcher);
  await server.started;
  return server;
}

/** The server listens in a network namespace that this process is not in. */
async function call(server: ServerUnderTest, path: string, body?: object): Promise<Answer> {
  const [program, ...args] = internet.launcher;
  const command = [...args, process.execPath, "-e", POST, `${server.url}${path}`];
  if (body !== undefined) command.push(JSON.stringify(body));
  const { stdout } = await promisify(execFile)(program, command, { timeout: 30_000 });
  return JSON.parse(stdout) as Answer;
}

async function resultOf(server: ServerUnderTest, body: object): Promise<unknown> {
  const { status, text } = await call(server, "/run-now", body);
  assert.equal(status, 200, text);
  return (JSON.parse(text) as { data: unknown }).data;
}

suite("with EGRESS=public", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startIn({ EGRESS: "public" });
  });
  after(() => server?.dispose());

  test("the clients of Node.js work unchanged", async () => {
    const code = `
      import { readFileSync } from "node:fs";
      import http from "node:http";
      import https from "node:https";
      const bodyOf = (client, url, options) => new Promise((resolve, reject) => {
        client.get(url, options, (answer) => answer.setEncoding("utf8").once("data", resolve)).on("error", reject);
      });
      return [
        await (await fetch("http://web.example/")).text(),
        await bodyOf(http, "http://web.example/", {}),
        await bodyOf(https, "https://web.example/", { ca: readFileSync("${CERTIFICATES}"), agent: new https.Agent({ keepAlive: true }) }),
      ];
    `;
    for (const language of ["javascript", "typescript"]) {
      const texts = (await resultOf(server, { language, code })) as string[];
      assert.equal(texts.length, 3);
      for (const text of texts) assert.match(text, /^hello web\.example/);
    }
  });

  test("the clients of Python work unchanged", async () => {
    const code = `
import asyncio, http.client, urllib.request
async def raw():
    reader, writer = await asyncio.open_connection("web.example", 80)
    writer.write(b"GET / HTTP/1.0\\r\\nHost: web.example\\r\\n\\r\\n")
    return (await reader.read()).decode().rpartition("\\r\\n")[2]
connection = http.client.HTTPConnection("web.example")
connection.request("GET", "/")
return [
    urllib.request.urlopen("http://web.example/").read().decode(),
    urllib.request.urlopen("https://web.example/").read().decode(),
    connection.getresponse().read().decode(),
    asyncio.run(raw()),
]
`;
    const texts = (await resultOf(server, { language: "python", code })) as string[];

    assert.equal(texts.length, 4);
    for (const text of texts) assert.match(text, /^hello web\.example/);
  });

  test("the host, its neighbours, private networks and metadata are refused, each with its reason", async () => {
    const port = new URL(server.url).port;
    const reasons: readonly (readonly [url: string, reason: RegExp])[] = [
      [`http://127.0.0.1:${port}/`, /127\.0\.0\.1 is loopback/],
      [`http://localhost:${port}/`, /localhost leads to (127\.0\.0\.1|::1), which is loopback/],
      [`http://2130706433:${port}/`, /127\.0\.0\.1 is loopback/],
      ["http://[::1]/", /::1 is loopback/],
      ["http://[::ffff:10.0.0.5]/", /mapped|private/],
      ["http://10.0.0.5/", /10\.0\.0\.5 is private/],
      ["http://private.example/", /private\.example leads to 10\.0\.0\.5, which is private/],
      ["http://169.254.169.254/latest/meta-data/", /169\.254\.169\.254 is .*metadata/],
      [`http://${HOST_ADDRESS}:${port}/`, /is (private|one of this host's own addresses)/],
      ["http://web.example:81/", /port 81 is not allowed/],
      [`http://web.example/redirect?to=http://169.254.169.254/`, /169\.254\.169\.254 is .*metadata/],
    ];
    const urls = JSON.stringify(reasons.map(([url]) => url));
    const python = `
import urllib.request
told = []
for url in ${urls}:
    try:
        told.append("reached " + urllib.request.urlopen(url, timeout=5).read().decode())
    except OSError as error:
        told.append(str(error))
return told
`;
    const javascript = `
      const told = [];
      for (const url of ${urls})
        told.push(await fetch(url).then(() => "reached", (error) => String(error.cause.message)));
      return told;
    `;
    for (const [language, code] of Object.entries({ python, javascript })) {
      const told = (await resultOf(server, { language, code })) as string[];
      for (const [index, [url, reason]] of reasons.entries()) {
        assert.match(told[index] ?? "", /egress denied: /, `${language} ${url}`);
        assert.match(told[index] ?? "", reason, `${language} ${url}`);
      }
    }
  });

  test("a name that moves to a forbidden address between two connections is refused at the second", async () => {
    const code = `
      const first = await (await fetch("http://moving.example/")).text();
      return [first, await fetch("http://moving.example/").then(() => "reached", (error) => error.cause.message)];
    `;
    const [first, second] = (await resultOf(server, { language: "javascript", code })) as string[];

    assert.match(first ?? "", /^hello/);
    assert.match(second ?? "", /egress denied: moving\.example leads to 127\.0\.0\.1/);
  });

  test("a run asks for less, and gets no more than it asked for", async () => {
    const code = `return await fetch("http://web.example/").then(() => "reached", (error) => error.cause.message)`;
    const ask = (egress: unknown) => resultOf(server, { language: "javascript", code, egress });

    assert.match(String(await ask("none")), /egress denied: no network for this function/);
    assert.match(String(await ask(["other.example"])), /web\.example is not in the list of allowed hosts/);
    assert.equal(await ask(["*.web.example", "web.example"]), "reached");
    assert.equal(await ask("public"), "reached");
  });

  test("a function keeps the egress that it was uploaded with", async () => {
    const code = `return await fetch("http://web.example/").then(() => "reached", (error) => error.cause.message)`;
    await call(server, "/upload", { path: "shut", language: "javascript", code, egress: "none" });
    await call(server, "/upload", { path: "open", language: "javascript", code });

    assert.match((await call(server, "/run/shut", {})).text, /no network for this function/);
    assert.match((await call(server, "/run/open", {})).text, /reached/);
  });

  test("who asks for more than is allowed is told so, and nothing is run", async () => {
    const { status, text } = await call(server, "/run-now", { language: "python", code: "return 1", egress: "all" });

    assert.equal(status, 400);
    assert.match(text, /egress all is more than this server allows \(setting EGRESS=public\)/);
  });

  test("a worker whose run has used the network serves the next one", async () => {
    const code = `
      return (await (await fetch("http://web.example/")).text()).slice(0, 5);
    `;
    const python = `import urllib.request\nreturn urllib.request.urlopen("http://web.example/").read().decode()[:5]`;
    for (const body of [
      { path: "js", language: "javascript", code },
      { path: "py", language: "python", code: python },
    ]) {
      await call(server, "/upload", body);
      for (let time = 0; time < 3; time++)
        assert.match((await call(server, `/run/${body.path}`, {})).text, /"data":"hello"/);
    }
    const { pool } = JSON.parse((await call(server, "/api/system")).text) as SystemReport;
    for (const name of ["js", "py"]) {
      const runs = pool.workers.filter((worker) => worker.version?.startsWith(`${name}@`)).map((worker) => worker.runs);
      assert.deepEqual(runs, [3], name);
    }
  });
});

suite("with a list of hosts", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startIn({ EGRESS: "web.example, private.example" });
  });
  after(() => server?.dispose());

  test("only these are reached, and only at public addresses", async () => {
    const code = `
      const told = [];
      for (const host of ["web.example", "other.example", "private.example", "${WEB}"])
        told.push(await fetch("http://" + host).then(() => "reached", (error) => error.cause.message));
      return told;
    `;
    const told = (await resultOf(server, { language: "javascript", code })) as string[];

    assert.equal(told[0], "reached");
    assert.match(told[1] ?? "", /other\.example is not in the list/);
    assert.match(told[2] ?? "", /private\.example leads to 10\.0\.0\.5, which is private/);
    assert.match(told[3] ?? "", /93\.184\.216\.34 is not in the list/);
  });
});

/** The gate's processes of a server. */
function gatesOf(server: ServerUnderTest): number[] {
  const { pid } = server.process; // nsenter has become the server
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
  return children.filter((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("gate-main"));
}

suite("without EGRESS", () => {
  const reach = `fetch("http://web.example/").then(() => "reached", (error) => error.cause.message)`;
  const script = { language: "javascript", code: `return await ${reach}` };
  const handler = { language: "javascript", code: `export default async () => new Response(await ${reach});` };
  let server: ServerUnderTest;
  before(async () => {
    server = await startIn({});
  });
  after(() => server?.dispose());

  async function deploy(function_: object): Promise<void> {
    const { status, text } = await call(server, "/api/functions", function_);
    assert.equal(status, 201, text);
  }

  test("scripts that ask for nothing have no network, and no gate is started for them", async () => {
    await call(server, "/upload", { path: "script", ...script });
    const python = `
import urllib.request
try:
    return urllib.request.urlopen("http://web.example/").status
except OSError as error:
    return str(error)
`;

    assert.match(String(await resultOf(server, script)), /no network for this function/);
    assert.match(String(await resultOf(server, { language: "python", code: python })), /no network for this function/);
    assert.match((await call(server, "/run/script", {})).text, /no network for this function/);
    assert.deepEqual(gatesOf(server), []);
  });

  test("scripts get what they ask for, and no more than public addresses", async () => {
    assert.equal(await resultOf(server, { ...script, egress: "public" }), "reached");
    await call(server, "/upload", { path: "asking", ...script, egress: ["web.example"] });
    assert.match((await call(server, "/run/asking", {})).text, /reached/);
    const { status, text } = await call(server, "/run-now", { ...script, egress: "all" });
    assert.equal(status, 400);
    assert.match(text, /egress all is more than this server allows \(setting EGRESS=public\)/);
    assert.equal(gatesOf(server).length, 1);
  });

  test("a gate that is started late has no file of the server open", () => {
    const [gate = 0] = gatesOf(server);
    const open = readdirSync(`/proc/${gate}/fd`)
      .filter((fd) => Number(fd) > 2) // where the server itself prints to
      .map((fd) => readlinkSync(`/proc/${gate}/fd/${fd}`))
      .filter((target) => !/^(?:socket|pipe|anon_inode):|^\/dev\/null$/.test(target));
    assert.deepEqual(open, []);
    assert.match(readFileSync(`/proc/${gate}/status`, "utf8"), /^Uid:\t65534\t65534\t65534\t65534$/m);
    assert.doesNotMatch(readFileSync(`/proc/${gate}/maps`, "utf8"), /cloche\.db/);
  });

  test("functions reach public addresses unless they say otherwise", async () => {
    await deploy({ name: "open", ...handler });
    await deploy({ name: "shut", ...handler, egress: "none" });
    const inward = handler.code.replace("web.example", "private.example");
    await deploy({ name: "inward", ...handler, code: inward });

    assert.equal((await call(server, "/fn/open")).text, "reached");
    assert.match((await call(server, "/fn/shut")).text, /no network for this function/);
    assert.match((await call(server, "/fn/inward")).text, /private\.example leads to 10\.0\.0\.5, which is private/);
  });

  test("Lua, which has no client of its own, gets out through the same gate", async () => {
    const code = `
      function handler(ctx, event)
        local told = {}
        for index, url in ipairs({"http://web.example/status?code=404", "https://web.example/", "http://127.0.0.1/",
                                  "http://web.example/redirect?to=http://169.254.169.254/"}) do
          local response, message = http.get(url)
          told[index] = response and response.statusCode .. " " .. response.body or message
        end
        told[5] = select(2, ai.chat({provider = "openai", model = "m", messages = {{role = "user", content = "hi"}}}))
        return {body = json.encode(told)}
      end
    `;
    await deploy({ name: "lua", language: "lua", code });
    await deploy({ name: "lua-shut", language: "lua", code, egress: "none" });

    const told = JSON.parse((await call(server, "/fn/lua")).text) as string[];
    assert.equal(told[0], "404 the body");
    assert.match(told[1] ?? "", /^200 hello web\.example/);
    assert.match(told[2] ?? "", /^HTTP request failed: egress denied: 127\.0\.0\.1 is loopback$/);
    assert.match(told[3] ?? "", /egress denied: 169\.254\.169\.254 is .*metadata/);
    assert.equal(told[4], "OPENAI_API_KEY not set in function environment");
    const refused = JSON.parse((await call(server, "/fn/lua-shut")).text) as string[];
    assert.equal(refused[0], "HTTP request failed: egress denied: no network for this function (EGRESS=none)");
  });

  test("a gate that dies is told of, and the functions that used it reach the network again", async () => {
    await deploy({ name: "going-on", ...handler });
    assert.equal((await call(server, "/fn/going-on")).text, "reached");
    const [first = 0] = gatesOf(server);

    process.kill(first, "SIGKILL");
    for (let tries = 0; gatesOf(server).length > 0 && tries < 100; tries += 1) await delay(20);

    assert.equal((await call(server, "/fn/going-on")).text, "reached");
    assert.equal((await call(server, "/fn/open")).text, "reached");
    assert.notEqual(gatesOf(server)[0], first);
    assert.match(
      server.stderr,
      /the egress gate ended unexpectedly \(SIGKILL\); it is started again when it is needed/,
    );
    assert.match((await call(server, "/fn/inward")).text, /which is private/);
  });
});

suite("with EGRESS=none", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startIn({ EGRESS: "none" });
  });
  after(() => server?.dispose());

  test("there is no network and no gate, and the error says which setting is to blame", async () => {
    const javascript = `return await fetch("http://web.example/").then(() => "reached", (error) => error.cause.message)`;
    const python = `
import os, urllib.request
assert not os.path.exists("/run/egress.sock")
try:
    return urllib.request.urlopen("http://web.example/").status
except OSError as error:
    return str(error)
`;
    for (const [language, code] of Object.entries({ python, javascript })) {
      assert.match(String(await resultOf(server, { language, code })), /no network: .*EGRESS=none/);
    }
  });
});
