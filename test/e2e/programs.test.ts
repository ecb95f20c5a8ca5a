// Compiled programs in real sandboxes, through the pool: Linux executables, for which programs of this machine stand, and WebAssembly.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/core/clock.ts";
import type { Exchange, HeaderList, ResponseHead } from "../../src/core/exchange.ts";
import type { Artifacts, Version } from "../../src/core/program.ts";
import type { WorkerReport } from "../../src/pool/fleet.ts";
import { Pool } from "../../src/pool/pool.ts";
import type { RunHandle, RunInput, RunReport } from "../../src/pool/run.ts";
import { buildHandler, GO } from "../../src/runtimes/native/go-handler.fixture.ts";
import { findNativeRuntime } from "../../src/runtimes/native/runtime.ts";
import { findNodeRuntime } from "../../src/runtimes/node/runtime.ts";
import { CAT as WASM_CAT, print, programOf } from "../../src/runtimes/node/wasm.fixture.ts";
import type { Runtime } from "../../src/runtimes/runtime.ts";
import { NurserySandbox } from "../../src/sandbox/nursery-sandbox.ts";
import { selfTest } from "../../src/services/self-test.ts";

const MIB = 1_048_576;
const LIMITS = { memoryBytes: 64 * MIB, cpus: 2, pids: 32, tmpBytes: 8 * MIB };
const OUTPUT_LIMIT_BYTES = 4 * MIB;
const LONG_MS = 60_000;

const program = (path: string): Buffer => readFileSync(realpathSync(path));
const SHELL = program("/bin/sh");
const CAT = program("/bin/cat");

let dir: string;
let sandbox: NurserySandbox;
let pool: Pool;
let runtimes: Runtime[];

async function versionOf(id: string, artifacts: Artifacts, env: Record<string, string> = {}): Promise<Version> {
  const mode = artifacts.wasm === undefined ? "native" : "wasm";
  const runtime = runtimes.find(({ languages }) => languages.includes(mode));
  assert.ok(runtime);
  const prepared = await runtime.prepare(mode, { text: "", artifacts, mode });
  return {
    ...{ id, function: undefined, program: prepared, egress: "none", concurrency: 1, singleUse: false },
    ...{ env, secrets: [] },
  };
}

interface Ran extends RunReport {
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  version: Version,
  input: RunInput,
  timeoutMs = LONG_MS,
): { handle: RunHandle; printed: { stdout: string; stderr: string } } {
  const printed = { stdout: "", stderr: "" };
  const handle = pool.run({
    ...{ version, executionId: "e", input, timeoutMs },
    onLog: ({ stream, text }) => (printed[stream] += text),
    onCall: () => Promise.reject(new Error("nothing is called")),
  });
  return { handle, printed };
}

async function run(version: Version, input: unknown, timeoutMs?: number): Promise<Ran> {
  const { handle, printed } = start(version, { kind: "value", json: JSON.stringify(input) }, timeoutMs);
  return { ...(await handle.report), ...printed };
}

/** Takes a response as a client does. */
class Client implements Exchange {
  readonly head;
  readonly firstBytes: Buffer;
  readonly rest: Exchange["rest"];
  response: ResponseHead | undefined;
  readonly #chunks: Buffer[] = [];
  onData: () => void = () => {};

  constructor(body: string | Readable, headers: HeaderList = []) {
    this.head = { requestId: "r", method: "POST", path: "/fn/f/x", relativePath: "/x", query: "q=1", headers };
    this.firstBytes = Buffer.from(typeof body === "string" ? body : "");
    this.rest = typeof body === "string" ? undefined : { source: body, limitBytes: 64 * MIB, onTooLarge: () => {} };
  }

  onHead(head: ResponseHead): undefined {
    this.response = head;
  }

  onBody(chunk: Buffer, taken: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    taken();
    this.onData();
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

async function request(version: Version, client: Client): Promise<Ran> {
  const { handle, printed } = start(version, { kind: "request", exchange: client });
  return { ...(await handle.report), ...printed };
}

suite("compiled programs in a box", () => {
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "cloche-programs-"));
    const searches = [findNativeRuntime(), findNodeRuntime(LIMITS)];
    runtimes = searches.flatMap((search) => (search.found ? [search.runtime] : []));
    sandbox = await NurserySandbox.open(
      {
        images: runtimes.map(({ image }) => image),
        limits: LIMITS,
        rootsDir: join(dir, "roots"),
        allowSoftLimits: false,
        maxBoxes: 6,
      },
      () => {},
    );
    const settings = { bases: ["native", "node"], maxWorkers: 6, outputLimitBytes: OUTPUT_LIMIT_BYTES };
    const queue = { maxQueue: 100, queueTimeoutMs: LONG_MS, baseUrl: () => "http://localhost" };
    pool = new Pool(sandbox, { ...settings, ...queue }, systemClock, () => {});
    await pool.warmUp();
  });

  after(async () => {
    await pool.end();
    await sandbox.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test("the self-test of each base finds no way out", async () => {
    const hostPaths = ["/etc/passwd", "/root", "/home", import.meta.filename];

    await selfTest(runtimes, { pool, clock: systemClock, hostPaths, serverPid: process.pid });
  });

  test("an idle worker for executables is small", async () => {
    const isIdle = ({ base, state }: WorkerReport): boolean => base === "native" && state === "idle";
    const until = systemClock.monotonicMs() + LONG_MS;
    let idle: WorkerReport | undefined;
    while (idle === undefined && systemClock.monotonicMs() < until) {
      idle = (await pool.report()).workers.find(isIdle);
      await delay(10);
    }

    assert.ok(idle !== undefined);
    assert.ok((idle.memoryBytes ?? 0) < 3 * MIB, `${idle.memoryBytes} bytes`);
  });

  for (const [kind, cat] of [
    ["an executable", { native: CAT }],
    ["a module", { wasm: WASM_CAT }],
  ] as const) {
    test(`${kind} gets its stdin whole and its stdout out whole, zeros and all`, async () => {
      const version = await versionOf(`cat:${kind}`, cat);
      const text = `\u0000 h\u00e9 \ud83d\ude00 ${"x".repeat(MIB)}`;

      const first = await run(version, text);
      const second = await run(version, { a: 1 });

      assert.deepEqual(first.outcome, { kind: "ok", json: undefined });
      assert.ok(first.stdout === text);
      assert.deepEqual([second.stdout, second.coldStart], ['{"a":1}', false]);
    });

    test(`${kind} streams a request's body to its response`, async () => {
      const version = await versionOf(`cat:${kind}`, cat);
      const body = randomBytes(3 * MIB);
      const source = new PassThrough();
      const client = new Client(source);
      source.end(body);

      const { outcome } = await request(version, client);

      assert.deepEqual(outcome, { kind: "responded", status: 200 });
      assert.ok(client.body.equals(body));
      assert.deepEqual(client.response?.headers, [["content-type", "application/octet-stream"]]);
    });

    test(`${kind} answers while its request is still coming`, async () => {
      const version = await versionOf(`cat:${kind}`, cat);
      const source = new PassThrough();
      const client = new Client(source);
      source.write("Content-Type: a/b\n\nfirst");
      const answered = new Promise<void>((resolve) => (client.onData = resolve));
      const { handle } = start(version, { kind: "request", exchange: client });
      await answered;
      assert.deepEqual([client.response?.headers, client.body.toString()], [[["Content-Type", "a/b"]], "first"]);
      source.end(" last");

      assert.deepEqual((await handle.report).outcome, { kind: "responded", status: 200 });
      assert.equal(client.body.toString(), "first last");
    });

    test(`${kind} that prints more than it may is ended`, async () => {
      const version = await versionOf(`cat:${kind}`, cat);

      const { outcome } = await run(version, "x".repeat(OUTPUT_LIMIT_BYTES + 1));

      assert.deepEqual(outcome, { kind: "output-limit", limitBytes: OUTPUT_LIMIT_BYTES });
    });
  }

  test("an executable's exit code and streams are told, and its worker stays", async () => {
    const version = await versionOf("sh", { native: SHELL });

    const { outcome, stdout, stderr } = await run(version, "echo out; echo err >&2; exit 3");
    const next = await run(version, "echo again");

    assert.deepEqual(outcome, { kind: "exited", exitCode: 3 });
    assert.deepEqual([stdout, stderr, next.stdout, next.coldStart], ["out\n", "err\n", "again\n", false]);
  });

  test("an executable that dies of a signal says which", async () => {
    const { outcome } = await run(await versionOf("sh", { native: SHELL }), "kill -SEGV $$");

    assert.equal(outcome.kind, "failed");
    assert.equal(outcome.kind === "failed" && outcome.message, "the program was ended by SIGSEGV (segmentation fault)");
  });

  test("an executable that sends SIGKILL to all ends its run, and the next one has a worker", async () => {
    const version = await versionOf("sh", { native: SHELL });

    const { outcome } = await run(version, "kill -9 1; kill -9 $$");

    assert.deepEqual(outcome, { kind: "crashed", detail: "signal SIGKILL" });
    assert.equal((await run(version, "echo fine")).stdout, "fine\n");
  });

  test("a timeout ends an executable and a module that never end", async () => {
    const loops = await versionOf("loops", { wasm: programOf("(loop $on (br $on))") });

    const [native, wasm] = await Promise.all([
      run(await versionOf("sh:loop", { native: SHELL }), "while :; do :; done", 500),
      run(loops, "", 500),
    ]);

    assert.deepEqual([native.outcome.kind, wasm.outcome.kind], ["timed-out", "timed-out"]);
  });

  test("memory that is used up is told as such", async () => {
    const bomb = `(drop (memory.grow (i32.const 1000))) (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536)))`;
    const eats = 'x=aaaaaaaaaaaaaaaa; while :; do x="$x$x"; done';

    const native = await run(await versionOf("sh:bomb", { native: SHELL }), eats);
    const wasm = await run(await versionOf("bomb", { wasm: programOf(bomb) }), "");

    assert.deepEqual(native.outcome, { kind: "out-of-memory", limitBytes: LIMITS.memoryBytes });
    assert.deepEqual(wasm.outcome, { kind: "out-of-memory", limitBytes: LIMITS.memoryBytes });
  });

  test("what an executable leaves behind is gone before the next run", async () => {
    const version = await versionOf("sh:leaves", { native: SHELL });

    const first = await run(
      version,
      "echo x >/tmp/file; echo x >/dev/shm/file; (while :; do :; done) & (trap '' TERM; read x </proc/1/nothing; while :; do :; done) & echo $$",
    );
    const { stdout, coldStart } = await run(
      version,
      "for name in /tmp/* /dev/shm/* /proc/[0-9]*; do case $name in /proc/1|/proc/$$|'/tmp/*'|'/dev/shm/*') ;; *) echo $name;; esac; done",
    );

    assert.equal(first.outcome.kind, "ok");
    assert.deepEqual([stdout, coldStart], ["", false]);
  });

  test("a program cannot reach the launcher", async () => {
    const version = await versionOf("sh:reach", { native: SHELL });

    const { stdout } = await run(
      version,
      "(echo x >&3) 2>/dev/null && echo three; cd /proc/1/fd 2>/dev/null && echo listed; (read x </proc/1/environ) 2>/dev/null && echo read; (echo x >/proc/$$/exe) 2>/dev/null && echo wrote; echo end",
    );

    assert.equal(stdout, "end\n");
  });

  test("more processes than are allowed are refused, and the worker goes on", async () => {
    const version = await versionOf("sh:forks", { native: SHELL });

    const { outcome } = await run(
      version,
      "i=0; while [ $i -lt 100 ]; do (read x </dev/zero) & i=$((i+1)); done 2>/dev/null; exit 5",
      20_000,
    );
    const next = await run(version, "echo fine");

    assert.ok(["exited", "ok"].includes(outcome.kind), JSON.stringify(outcome));
    assert.equal(next.stdout, "fine\n");
  });

  test("a CGI header block is the head of the response, for both kinds", async () => {
    const fields = '(memory (export "memory") 1) (data (i32.const 16) "Status: 418\\nX-A: b\\n\\nteapot")';
    const module = programOf(print(16, 26), ["fd_write"], fields);
    const native = new Client('printf "Status: 418\\nX-A: b\\n\\nteapot"');
    const wasm = new Client("");

    const outcomes = [
      (await request(await versionOf("sh:cgi", { native: SHELL }), native)).outcome,
      (await request(await versionOf("cgi", { wasm: module }), wasm)).outcome,
    ];

    for (const client of [native, wasm]) {
      assert.equal(client.response?.status, 418);
      assert.deepEqual(client.response.headers, [
        ["X-A", "b"],
        ["content-type", "text/plain; charset=utf-8"],
      ]);
      assert.equal(client.body.toString(), "teapot");
    }
    assert.deepEqual(outcomes, [
      { kind: "responded", status: 418 },
      { kind: "responded", status: 418 },
    ]);
  });

  test("a program finds the request and the function's variables in its environment, and nothing else", async () => {
    const version = await versionOf("sh:env", { native: SHELL }, { GREETING: "hi" });
    const client = new Client(
      'echo "$REQUEST_METHOD $SCRIPT_NAME $PATH_INFO $QUERY_STRING $HTTP_X_A $GREETING [$OURS]"',
      [["x-a", "1"]],
    );

    await request(version, client);

    assert.equal(client.body.toString(), "POST /fn/f /x q=1 1 hi []\n");
  });

  test(
    "a Go handler stays warm, streams, and its crash shows with its last words",
    { skip: GO === undefined && "needs Go" },
    async () => {
      const version = await versionOf("handler", { native: buildHandler(GO ?? "") });
      const at = (path: string, body: string | Readable = ""): Client => {
        const client = new Client(body);
        Object.assign(client.head, { path: `/fn/demo${path}`, relativePath: path });
        return client;
      };
      const body = randomBytes(2 * MIB);
      const source = new PassThrough();
      const echo = at("/echo", source);
      source.end(body);
      const calls = at("/calls");

      const first = await request(version, echo);
      const second = await request(version, calls);
      const printed = await request(version, at("/print"));
      const panicked = await request(version, at("/panic"));
      const crashed = await request(version, at("/crash"));

      assert.deepEqual([first.outcome, second.coldStart], [{ kind: "responded", status: 200 }, false]);
      assert.ok(echo.body.equals(body));
      assert.equal(calls.body.toString(), "2");
      assert.deepEqual([printed.stdout, printed.stderr], ["out h\u00e9\nearly bird\n", "err\nlogged\n"]);
      assert.equal(panicked.outcome.kind === "failed" && panicked.outcome.message, "assignment to entry in nil map");
      assert.deepEqual(crashed.outcome, { kind: "exited", exitCode: 2 });
      assert.match(crashed.stderr, /^panic: assignment to entry in nil map\n/);
    },
  );

  test("a check tells a program from what is none", async () => {
    const checks = await Promise.all(
      [
        { native: SHELL },
        { native: Buffer.from("#!/bin/sh\n") },
        { wasm: WASM_CAT },
        { wasm: Buffer.from("\0asm") },
      ].map(async (artifacts, index) => {
        const version = await versionOf(`check:${index}`, artifacts);
        return (await start(version, { kind: "check" }).handle.report).outcome;
      }),
    );

    const [shell, text, module, stub] = checks;
    assert.deepEqual(
      [shell, module],
      [
        { kind: "ok", json: '{"style":"program"}' },
        { kind: "ok", json: '{"style":"program"}' },
      ],
    );
    assert.deepEqual([text?.kind, stub?.kind], ["failed", "failed"]);
  });
});
