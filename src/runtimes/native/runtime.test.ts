import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { findNativeRuntime } from "./runtime.ts";
import { WorkerUnderTest } from "./worker-under-test.ts";

test("without LuaJIT it says what is missing, where it looked and how to get it", () => {
  const search = findNativeRuntime([]);

  assert.ok(!search.found);
  assert.deepEqual([search.base, search.languages], ["native", ["native", "go"]]);
  assert.match(search.reason, /LuaJIT 2\.1.*\/usr\/bin\/luajit.*apt install luajit/);
});

test("all that the box copies and binds is there, and no file comes twice", () => {
  const search = findNativeRuntime();
  assert.ok(search.found);
  const { copies, binds } = search.runtime.image;

  for (const { from } of [...copies, ...binds]) assert.ok(existsSync(from), from);
  assert.equal(new Set(copies.map(({ to }) => to)).size, copies.length);
});

test("a source without an executable is a program whose runs fail and say why", async (t) => {
  const search = findNativeRuntime();
  assert.ok(search.found);
  const { code, base } = await search.runtime.prepare("native", { text: "" });
  const worker = new WorkerUnderTest(t);
  worker.bind(Buffer.from(code));

  const { end } = await worker.run("");

  assert.equal(base, "native");
  assert.match(end.body.toString(), /it is not an executable for this machine/);
});

// The self-test must be able to fail: outside of any box it finds what a box would take away.
test("outside of a box the self-test sees the host's files, the server, the network and the launcher", async (t) => {
  const search = findNativeRuntime();
  assert.ok(search.found);
  const facts = { hostPaths: ["/etc/passwd", '/no/such"file\\'], serverPid: process.pid };
  const { source, input } = search.runtime.selfTest(facts);
  const worker = new WorkerUnderTest(t);
  worker.bind(source.artifacts?.native ?? Buffer.alloc(0));

  const { end, stdout, stderr } = await worker.run(input);
  const holes = JSON.parse(stdout) as string[];

  assert.deepEqual([end.header.t, stderr], ["result", ""]);
  assert.ok(holes.includes("see the host's /etc/passwd"), stdout);
  assert.ok(!holes.some((hole) => hole.includes("/no/such")), stdout);
  for (const hole of ["signal the server", "make an IPv4 socket", "make any system call: no filter is in force"]) {
    assert.ok(holes.includes(hole), stdout);
  }
  assert.ok(holes.some((hole) => hole.startsWith("see processes of others")));
  assert.ok(!holes.includes("speak to the server in the launcher's name"), "that holds without a box");
});
