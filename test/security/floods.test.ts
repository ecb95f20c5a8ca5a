// Output without end stops at its limit, and costs the server that cuts it off no more memory than a little.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";

const MIB = 1024 * 1024;
const MOST_MIB = 4;
const FLOODS = 10;
const ENDLESS: readonly (readonly [id: string, what: string, language: string, code: string])[] = [
  ["RES-13", "long lines", "javascript", "for (;;) console.log('x'.repeat(1000))"],
  ["RES-13", "raw bytes", "python", "import os\nwhile True: os.write(1, b'x' * 65536)"],
  ["RES-13", "a long result", "python", "return 'x' * (1 << 24)"],
  ["RES-14", "short lines", "javascript", "for (;;) process.stdout.write('x\\n')"],
  ["RES-14", "short lines", "python", "while True: print('x')"],
];

suite("a server that is flooded", () => {
  let server: AttackedServer;
  before(async () => {
    server = await startAttacked({ OUTPUT_MAX_SIZE: String(MIB), TIMEOUT_SCRIPT: "60" });
  });
  after(() => server.dispose());

  for (const [id, what, language, code] of ENDLESS) {
    test(`${id}: grows by no more than 4 MiB for 1 MiB of ${what} in ${language}, and answers others`, async () => {
      const growthsMib: number[] = [];
      // The first pays for code of ours that was never run before, and a few for a heap that is still growing.
      for (let count = 0; count <= FLOODS && Math.min(...growthsMib.slice(1)) > MOST_MIB; count++) {
        const before = (await server.system()).memoryBytes;
        const flood = await server.runNow({ language, code });
        assert.match(flood.text, /output limit exceeded \(max 1048576 bytes/);
        assert.equal((await server.runNow({ language, code: `return ${count}` })).status, 200);
        growthsMib.push(((await server.system()).memoryBytes - before) / MIB);
      }
      const last = growthsMib.at(-1) ?? Number.NaN;
      assert.ok(last <= MOST_MIB, `grew by ${growthsMib.map((mib) => mib.toFixed(1)).join(", ")} MiB`);
    });
  }
});
