// The proxy, with an upstream in a small internet of the test's own: no function can reach the machine's own addresses.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Internet } from "../../../src/sandbox/egress/internet.fixture.ts";
import { ServerUnderTest } from "../../server-under-test.ts";
import { checkAnswers, deployAsReadme } from "./readme.ts";
import { PIECE_INTERVAL_MS, type Seen } from "./upstream.fixture.ts";

const NAME = "api.openai.com";
const ADDRESS = "93.184.216.99";
const UPSTREAM = join(import.meta.dirname, "upstream.fixture.ts");
const PATIENCE_MS = 20_000;

let internet: Internet;
let upstream: ChildProcess;
let server: ServerUnderTest;
before(async () => {
  internet = await Internet.open();
  await internet.setName(NAME, [ADDRESS]);
  const [program, ...args] = internet.launcher;
  // Served here, but no address of an interface: to the gate it is any public one.
  execFileSync(program, [...args, "ip", "route", "add", "local", ADDRESS, "dev", "lo"]);
  upstream = spawn(program, [...args, process.execPath, UPSTREAM, ADDRESS, "80"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(upstream.stdout ?? upstream, "data");
  server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")), { EGRESS: "public" }, internet.launcher);
  await server.started;
  // The upstream here has no certificate for that name.
  const replace = { [`https://${NAME}`]: `http://${NAME}` };
  await deployAsReadme("ai-proxy", { url: server.url, launcher: internet.launcher, replace });
});
after(async () => {
  await server?.dispose();
  upstream?.kill();
  await internet?.close();
});

/** The server and its upstream listen in a network namespace that this process is not in. */
async function curl(...args: readonly string[]): Promise<string> {
  const [program, ...before] = internet.launcher;
  return (await promisify(execFile)(program, [...before, "curl", "-sS", ...args])).stdout;
}

function proxy(path: string): string {
  return `${server.url}/fn/ai-proxy${path}`;
}

async function lastSeen(): Promise<Seen | undefined> {
  return (JSON.parse(await curl(`http://${ADDRESS}/seen`)) as Seen[]).at(-1);
}

test("the proxy answers as its README says", async () => {
  await checkAnswers("ai-proxy", { url: server.url, launcher: internet.launcher });
});

test("the upstream sees the key, and nothing of the client's but its question", async () => {
  const mine = ["Authorization: Bearer mine", "Cookie: session=1", "X-Mine: 1", "OpenAI-Organization: mine"];
  const question = '{"model":"any","input":"text"}';
  await curl(proxy("/embeddings"), "-d", question, ...mine.flatMap((header) => ["-H", header]));
  const seen = await lastSeen();

  assert.deepEqual([seen?.method, seen?.url, seen?.body], ["POST", "/v1/embeddings", question]);
  assert.equal(seen?.headers["authorization"], "Bearer sk-secret");
  assert.equal(seen?.headers["content-length"], String(question.length));
  assert.doesNotMatch(JSON.stringify(seen?.headers), /mine|session/i);
});

test("nothing but the routes of the proxy reaches the upstream", async () => {
  await curl(proxy("/models"));
  for (const path of ["/files", "/chat/completions/../../files", "/models?key=1"]) {
    await curl("--path-as-is", "-X", "POST", proxy(path));
  }

  assert.deepEqual([(await lastSeen())?.method, (await lastSeen())?.url], ["GET", "/v1/models"]);
});

test("the upstream's refusal is the answer, with its Retry-After and without its cookies", async () => {
  const answer = await curl("-i", proxy("/chat/completions"), "-d", '{"model":"busy"}');

  assert.match(answer, /^HTTP\/1\.1 429 /);
  assert.match(answer, /^retry-after: 7\r$/im);
  assert.match(answer, /\{"error":\{"message":"slow down"\}\}$/);
  assert.doesNotMatch(answer, /upstream=1|sk-secret/);
});

test("a stream arrives piece by piece, also when 8 clients listen at once", async () => {
  const streams = await Promise.all(Array.from({ length: 8 }, () => listen("three")));

  for (const { text, spreadMs } of streams) {
    assert.equal(text, "data: 0\n\ndata: 1\n\ndata: 2\n\ndata: [DONE]\n\n");
    assert.ok(spreadMs > 2 * PIECE_INTERVAL_MS, `it took ${spreadMs} ms from the first piece to the last`);
  }
});

test("a client that leaves ends the upstream's work", async () => {
  const leaving = spawnCurl("endless");
  await once(leaving.stdout ?? leaving, "data");
  leaving.kill();
  const giveUpAtMs = Date.now() + PATIENCE_MS;
  while ((await lastSeen())?.wasLeft !== true && Date.now() < giveUpAtMs) await delay(50);

  const seen = await lastSeen();
  assert.match(seen?.body ?? "", /endless/);
  assert.equal(seen?.wasLeft, true);
});

test("an upstream that cannot be reached is a 502 that says nothing of the way there", async () => {
  await curl(
    "-X",
    "PUT",
    `${server.url}/api/functions/ai-proxy/env`,
    "-d",
    '{"env":{"UPSTREAM_URL":"http://other.example"}}',
  );
  const answer = await curl("-i", proxy("/models"));

  assert.match(answer, /^HTTP\/1\.1 502 /);
  assert.match(answer, /\{"error":\{"message":"the model cannot be reached","type":"proxy_error"\}\}$/);
});

function spawnCurl(model: string): ChildProcess {
  const [program, ...args] = internet.launcher;
  const body = JSON.stringify({ model, stream: true });
  return spawn(program, [...args, "curl", "-sSN", proxy("/chat/completions"), "-d", body], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function listen(model: string): Promise<{ text: string; spreadMs: number }> {
  const arrivedMs: number[] = [];
  let text = "";
  for await (const chunk of spawnCurl(model).stdout ?? []) {
    arrivedMs.push(performance.now());
    text += String(chunk);
  }
  return { text, spreadMs: (arrivedMs.at(-1) ?? 0) - (arrivedMs[0] ?? 0) };
}
