// Memory bombs of every kind hit the box that throws them, and nobody else.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";
import { dedent } from "./attacker.ts";

const MIB = 1024 * 1024;

suite("a memory bomb", () => {
  let server: AttackedServer;
  let neighbour: number;
  before(async () => {
    server = await startAttacked({ TIMEOUT_SCRIPT: "10", MAX_MEMORY: "64M", MAX_CONTAINERS: "4" });
    await server.upload("neighbour", "javascript", "return event.n");
    assert.equal((await server.run("neighbour", { n: 1 })).status, 200);
    neighbour = await neighbourId();
  });
  after(() => server.dispose());
  afterEach(async () => {
    await server.settled();
    assert.deepEqual((await server.run("neighbour", { n: 2 })).json, { data: 2, type: "number" });
    assert.equal(await neighbourId(), neighbour, "the neighbour's worker lived through it");
  });

  async function neighbourId(): Promise<number> {
    const { workers } = (await server.settled()).pool;
    return workers.find(({ version }) => version?.startsWith("neighbour@"))?.id ?? -1;
  }

  const CTYPES = "import ctypes, mmap, os\nlibc = ctypes.CDLL(None, use_errno=True)\n";
  const BOMBS: readonly (readonly [id: string, what: string, language: string, code: string])[] = [
    ["RES-03", "objects", "javascript", "const kept = []; for (;;) kept.push({ x: [1, 2, 3] })"],
    ["RES-03", "strings", "javascript", "let text = 'x'; const kept = []; for (;;) kept.push(text + kept.length)"],
    ["RES-03", "objects in workers", "javascript", fourHeaps()],
    ["RES-03", "lists", "python", "kept = []\nwhile True: kept.append([0] * 1000)"],
    ["RES-03", "one big number", "python", "n = 1 << (1 << 33)\nreturn n.bit_length()"],
    ["RES-04", "Buffers", "javascript", "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1))"],
    [
      "RES-04",
      "SharedArrayBuffers",
      "javascript",
      "const a = []; for (;;) a.push(new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(1))",
    ],
    ["RES-04", "bytes", "python", "kept = []\nwhile True: kept.append(bytearray(1 << 20))"],
    [
      "RES-04",
      "private mappings",
      "python",
      `${CTYPES}kept = []\nwhile True: m = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE); m.write(b'x' * (1 << 20)); kept.append(m)`,
    ],
    [
      "RES-04",
      "shared mappings",
      "python",
      `${CTYPES}kept = []\nwhile True: m = mmap.mmap(-1, 1 << 20); m.write(b'x' * (1 << 20)); kept.append(m)`,
    ],
    [
      "RES-04",
      "memfd",
      "python",
      `${CTYPES}f = os.memfd_create('x')\nimport resource\nkept = [f]\nwhile True:\n    for i in range(32): os.write(kept[-1], b'x' * (1 << 20))\n    kept.append(os.memfd_create('x'))`,
    ],
    [
      "RES-04",
      "forked copies",
      "python",
      "import os, time\nfor i in range(40):\n    if os.fork() == 0:\n        kept = bytearray(8 << 20)\n        for at in range(0, len(kept), 4096): kept[at] = 1\n        time.sleep(60)\nos.wait()\nkept = []\nwhile True: kept.append(bytearray(1 << 20))",
    ],
    [
      "RES-04",
      "pipes",
      "python",
      "import fcntl, os\nkept = []\nfor i in range(100):\n    r, w = os.pipe()\n    kept.append((r, w))\n    fcntl.fcntl(w, 1031, 1 << 20)\n    os.set_blocking(w, False)\n    os.write(w, b'x' * (1 << 20))\nhold = []\nwhile True: hold.append(bytearray(1 << 20))",
    ],
    ["RES-08", "empty files", "python", "n = 0\nwhile True:\n    open('/tmp/%d' % n, 'w').close()\n    n += 1"],
    ["RES-08", "folders", "javascript", "const fs = require('fs'); for (let n = 0; ; n++) fs.mkdirSync('/tmp/' + n)"],
    [
      "RES-08",
      "links",
      "python",
      "import os\nn = 0\nwhile True:\n    os.symlink('x' * 4000, '/tmp/%d' % n)\n    n += 1",
    ],
  ];
  for (const [id, what, language, code] of BOMBS) {
    test(`${id}: of ${what} in ${language} ends its own box only`, async () => {
      const before = (await server.system()).memoryBytes;
      const { status, text } = await server.runNow({ language, code: dedent(code) });

      assert.equal(status, 500, text.slice(0, 500));
      assert.match(
        text,
        /memory limit exceeded \(max 64M\)|MemoryError|out of memory|No space left|ENOSPC|Invalid|SIGKILL/,
      );
      assert.ok((await server.system()).memoryBytes - before < 32 * MIB);
    });
  }

  const BODIES: readonly (readonly [what: string, body: string])[] = [
    [
      "nested lists",
      `{"language":"javascript","code":"return 1","input":${"[".repeat(3_000_000)}${"]".repeat(3_000_000)}}`,
    ],
    ["nested objects", `${'{"a":'.repeat(1_000_000)}1${"}".repeat(1_000_000)}`],
    ["brackets that are never closed", `{"input":${"[".repeat(7_000_000)}`],
    ["quotes that are never closed", `{"input":"${'\\"'.repeat(3_000_000)}`],
    ["digits", `{"input":${"9".repeat(7_000_000)}`],
  ];
  for (const [what, body] of BODIES) {
    test(`RES-20: of JSON, ${what}, is refused, and the server is away for less than 100 ms`, async () => {
      const awayMs: number[] = [];
      while (awayMs.length < 6 && (awayMs.at(-1) ?? Infinity) > 100) {
        let longestMs = 0;
        const answers: Response[] = [];
        const answered = server.post("/run-now", body).then((response) => answers.push(response));
        while (answers.length === 0) {
          const askedMs = performance.now();
          await (await fetch(`${server.url}/healthz`)).text();
          longestMs = Math.max(longestMs, performance.now() - askedMs);
        }
        await answered;
        assert.equal(answers[0]?.status, 400);
        awayMs.push(longestMs);
      }
      assert.ok((awayMs.at(-1) ?? Infinity) <= 100, `away for ${awayMs.map((ms) => ms.toFixed(0)).join(", ")} ms`);
    });
  }
});

/** Four heaps in one process: V8 counts each for itself. */
function fourHeaps(): string {
  const worker = "const kept = []; for (;;) kept.push({ x: [1, 2, 3] })";
  return `
    const { Worker } = require("worker_threads");
    for (let n = 0; n < 4; n++) new Worker(${JSON.stringify(worker)}, { eval: true }).on("error", () => {});
    const kept = []; for (;;) { kept.push(Buffer.alloc(1 << 16, 1)); await new Promise(setImmediate) }
    `;
}
