// Callbacks of jobs, whole: through the egress gate, to a receiver in an internet of the test's own.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { Internet } from "../../src/sandbox/egress/internet.fixture.ts";
import { ServerUnderTest } from "../server-under-test.ts";

const RECEIVER = join(import.meta.dirname, "../receiver.fixture.ts");
const WEB = "93.184.216.34";
const SOON_MS = 30_000;

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
}

interface Event {
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface CallAnswer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- each test looks at what it asked for
  readonly json: any;
}

let internet: Internet;
let server: ServerUnderTest;
before(async () => {
  internet = await Internet.open();
  await internet.setName("receiver.example", [WEB]);
  server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")), { EGRESS: "public" }, internet.launcher);
  await server.started;
  const code =
    "def handler(event, context):\n    if event.get('fail'): raise ValueError('as asked')\n    return {'twice': event['n'] * 2}\n";
  await call("POST", "/api/functions", { name: "double", language: "python", code, retry: { attempts: 1 } });
});
after(async () => {
  await server?.dispose();
  await internet?.close();
});

/** The server listens in a network namespace that this process is not in. */
async function call(method: string, path: string, body?: object): Promise<CallAnswer> {
  const [program, ...args] = internet.launcher;
  const text = body === undefined ? [] : ["-d", JSON.stringify(body)];
  const command = ["curl", "-sS", "-X", method, "-H", "Prefer: respond-async", "-w", "\n%{http_code}", ...text];
  const { stdout } = await promisify(execFile)(program, [...args, ...command, `${server.url}${path}`], {
    timeout: SOON_MS,
  });
  const [answer, status] = [stdout.slice(0, stdout.lastIndexOf("\n")), stdout.slice(stdout.lastIndexOf("\n") + 1)];
  return { status: Number(status), json: answer === "" ? undefined : (JSON.parse(answer) as unknown) };
}

/** A receiver in the world, and what it has received. */
async function receiver(t: TestContext, ...statuses: number[]): Promise<{ port: number; received: Received[] }> {
  const [program, ...args] = internet.worldLauncher;
  const child: ChildProcess = spawn(program, [...args, process.execPath, RECEIVER, ...statuses.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  });
  assert.ok(child.stdout);
  const lines = createInterface(child.stdout);
  const [first] = (await once(lines, "line")) as [string];
  const received: Received[] = [];
  lines.on("line", (line: string) => received.push(JSON.parse(line) as Received));
  return { port: (JSON.parse(first) as { port: number }).port, received };
}

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const giveUpAtMs = Date.now() + SOON_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    assert.ok(Date.now() < giveUpAtMs, `${what} within ${SOON_MS} ms`);
    await delay(50);
  }
}

test("the end of a job is told, signed so that its receiver can be sure of it", async (t) => {
  const { port, received } = await receiver(t, 204);
  const callbackUrl = `http://receiver.example:${port}/hook?a=b`;
  const submitted = await call("POST", "/api/functions/double/invocations", { input: { n: 21 }, callbackUrl });
  assert.equal(submitted.status, 202, JSON.stringify(submitted.json));

  const told = await until("the callback", () => received[0]);
  assert.deepEqual([told.method, told.url, told.headers["content-type"]], ["POST", "/hook?a=b", "application/json"]);
  const { secret } = (await call("GET", "/api/functions/double/webhook-secret")).json as { secret: string };
  assert.match(secret, /^whsec_[\w+/]{43}=$/);
  const event = new Webhook(secret).verify(told.body, told.headers) as Event;
  assert.equal(event.type, "job.completed");
  const { jobId, status, attempts, result } = event.data;
  assert.deepEqual([jobId, status, attempts, result], [submitted.json.jobId, "completed", 1, { twice: 42 }]);
  assert.throws(() => new Webhook(secret).verify(told.body.replace("42", "43"), told.headers), /signature/i);
  const other = Buffer.alloc(32, 7).toString("base64");
  assert.throws(() => new Webhook(`whsec_${other}`).verify(told.body, told.headers), /signature/i);
});

test("a callback that is not taken is sent again, under the same id and with a new time", async (t) => {
  const { port, received } = await receiver(t, 500, 503, 200);
  const callbackUrl = `http://receiver.example:${port}/`;
  await call("POST", "/api/functions/double/invocations", { input: { fail: true }, callbackUrl });

  await until("three of them", () => (received.length === 3 ? true : undefined));
  assert.equal(new Set(received.map(({ headers }) => headers["webhook-id"])).size, 1);
  const { secret } = (await call("GET", "/api/functions/double/webhook-secret")).json as { secret: string };
  for (const { body, headers } of received) {
    const event = new Webhook(secret).verify(body, headers) as Event;
    assert.equal(event.type, "job.dead");
    assert.match(String(event.data["error"]), /as asked/);
  }
  const job = await until("its end", async () => {
    const { json } = await call("GET", "/api/jobs?kind=callback&status=completed&limit=200");
    const items = json.items as { id: string; attemptsMade: number }[];
    return items.find(({ id }) => id === received[0]?.headers["webhook-id"]);
  });
  assert.equal(job.attemptsMade, 3);
});

test("a receiver that is gone is not asked again, and a cancelled job is told of", async (t) => {
  const { port, received } = await receiver(t, 410);
  const callbackUrl = `http://receiver.example:${port}/`;
  const { json } = await call("POST", "/api/functions/double/invocations", { delayMs: 3_600_000, callbackUrl });
  assert.equal((await call("DELETE", `/api/jobs/${json.jobId}`)).status, 204);

  const told = await until("the callback", () => received[0]);
  assert.equal((JSON.parse(told.body) as Event).type, "job.cancelled");
  await until("its end", async () => {
    const dead = await call("GET", "/api/jobs?kind=callback&status=dead");
    const items = dead.json.items as { id: string; attemptsMade: number }[];
    const mine = items.find(({ id }) => id === told.headers["webhook-id"]);
    return mine?.attemptsMade === 1 ? true : undefined;
  });
  assert.equal(received.length, 1);
});

test("no callback reaches what the server lets nobody reach", async () => {
  await internet.setName("inside.example", ["10.0.0.5"]);
  const refused = await call("POST", "/api/functions/double/invocations", {
    callbackUrl: "http://receiver.example:22/",
  });
  assert.equal(refused.status, 400);
  assert.match(refused.json.error.message, /^callbackUrl: port 22 is not allowed/);
  const ids: string[] = [];
  for (const host of ["127.0.0.1:8080", "169.254.169.254", "inside.example", "[::1]:8080"]) {
    const { json } = await call("POST", "/api/functions/double/invocations", {
      input: { n: 1 },
      callbackUrl: `http://${host}/`,
    });
    ids.push(json.jobId);
  }
  await until("they are dead", async () => {
    const { json } = await call("GET", "/api/jobs?kind=callback&status=dead&limit=200");
    const errors = (json.items as { id: string; error: string; attemptsMade: number }[]).filter(({ id }) =>
      ids.some((jobId) => id.includes(jobId)),
    );
    for (const { error, attemptsMade } of errors) assert.ok(/denied|egress/i.test(error) && attemptsMade === 1, error);
    return errors.length === ids.length ? true : undefined;
  });
});
