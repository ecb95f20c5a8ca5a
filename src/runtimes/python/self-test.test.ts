// The self-test must be able to fail: outside of any box it finds what a box would take away.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { returned } from "./worker-under-test.ts";

const SOURCE = readFileSync(join(import.meta.dirname, "self_test.py"), "utf8");

async function holesFoundOutside(t: TestContext, input: object): Promise<string[]> {
  return JSON.parse(await returned(t, SOURCE, JSON.stringify(input))) as string[];
}

test("outside of a box the self-test sees the host's files, the server and the network", async (t) => {
  const holes = await holesFoundOutside(t, { hostPaths: ["/etc/passwd", "/no/such/file"], serverPid: process.pid });

  assert.ok(holes.includes("see the host's /etc/passwd"), holes.join());
  assert.ok(!holes.includes("see the host's /no/such/file"), holes.join());
  assert.ok(holes.includes("signal the server"), holes.join());
  assert.ok(holes.includes("make an IPv4 socket"), holes.join());
  assert.ok(holes.some((hole) => hole.startsWith("see processes of others")));
});

test("outside of a box the self-test misses the filter and the loss of privileges", async (t) => {
  const holes = await holesFoundOutside(t, { hostPaths: [], serverPid: process.pid });

  assert.ok(holes.includes("make any system call: no filter is in force"), holes.join());
  assert.ok(holes.includes("gain privileges by running a setuid program"), holes.join());
});
