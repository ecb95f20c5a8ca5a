import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const COLLECTOR = join(import.meta.dirname, "collector.ts");

test("this Node knows the flag, and goes on without a word", async () => {
  const code = `import { keepShortLivedYoung } from ${JSON.stringify(COLLECTOR)}; keepShortLivedYoung(); console.log("on");`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);

  assert.deepEqual({ stdout, stderr }, { stdout: "on\n", stderr: "" });
});
