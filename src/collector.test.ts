import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const COLLECTOR = join(import.meta.dirname, "collector.ts");

test("this Node knows the flags, collects, and goes on without a word", async () => {
  const code = `
    import { collectGarbage, keepShortLivedYoung } from ${JSON.stringify(COLLECTOR)};
    keepShortLivedYoung();
    const garbage = Array.from({ length: 1000 }, () => "x".repeat(1e4) + Math.random()).map((text) => [text]);
    const beforeBytes = process.memoryUsage().heapUsed;
    garbage.length = 0;
    collectGarbage();
    console.log(process.memoryUsage().heapUsed < beforeBytes);`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);

  assert.deepEqual({ stdout, stderr }, { stdout: "true\n", stderr: "" });
});
