// The folders of uploads: the database is the truth, and what is copied in from elsewhere is found at the start.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  called,
  CAT,
  filesOnDisk,
  listed,
  namesOnDisk,
  send,
  SHELL,
  uploaded,
  WASM_CAT,
} from "../native-under-test.ts";
import { ServerUnderTest } from "../server-under-test.ts";

function dataFolder(t: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), "cloche-test-"));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function started(t: TestContext, dataDir: string): Promise<ServerUnderTest> {
  const server = new ServerUnderTest(dataDir);
  t.after(() => server.process.kill("SIGKILL")); // where the test ended early
  await server.started;
  return server;
}

function put(dataDir: string, path: string, content: string | Buffer): void {
  const file = join(dataDir, "functions", path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, content);
}

test("what was uploaded is there after a restart, and a folder that is missing is written again", async (t) => {
  const dataDir = dataFolder(t);
  let server = await started(t, dataDir);
  const cat = await uploaded(server, CAT, "cat", { name: "a/cat", version: "v1", description: "d" });
  const wasm = await uploaded(server, WASM_CAT, "cat", { name: "wasm", version: "v1" });
  const before = filesOnDisk(server);
  const metaOf = (): string => readFileSync(join(dataDir, "functions/a/cat/v1/meta.json"), "utf8");
  const meta = metaOf();
  await server.stop();
  rmSync(join(dataDir, "functions/a"), { recursive: true });
  rmSync(join(dataDir, "functions/wasm/v1/main.wasm"));

  server = await started(t, dataDir);

  assert.deepEqual(filesOnDisk(server), before);
  assert.equal(metaOf(), meta);
  assert.ok(readFileSync(join(dataDir, cat.binPath)).equals(CAT));
  assert.match(server.stderr, /functions\/a\/cat\/v1: was missing, or a part of it; written again/);
  assert.deepEqual(await listed(server), [wasm, cat]);
  assert.equal((await called(server, cat.id, "hi")).Stdout, "hi");
  assert.equal((await called(server, wasm.id, "hi")).Stdout, "hi");
  await server.stop();
});

test("folders that are copied in become functions, the newest version of each active", async (t) => {
  const dataDir = dataFolder(t);
  const id = randomUUID();
  const meta = { id, version: "whatever", name: "whatever", binPath: "/elsewhere/main.bin", wasmPath: "" };
  const at = (day: number): object => ({
    created_at: `2024-05-0${day}T12:00:00.123456789+02:00`,
    description: `${day}`,
  });
  put(dataDir, "tools/run/new/main.bin", SHELL);
  put(dataDir, "tools/run/new/meta.json", JSON.stringify({ ...meta, ...at(2) }));
  put(dataDir, "tools/run/new/lib/notes.txt", "kept");
  put(dataDir, "tools/run/old/main.bin", CAT);
  put(dataDir, "tools/run/old/meta.json", JSON.stringify({ ...at(1), id }));
  put(dataDir, "bare/v1/main.wasm", WASM_CAT);
  put(dataDir, "bare/v1/main.bin", CAT);

  const server = await started(t, dataDir);

  const all = await listed(server);
  const [bare, newer, older] = all;
  assert.ok(bare !== undefined && newer !== undefined && older !== undefined);
  assert.deepEqual(
    all.map(({ name, version }) => `${name}@${version}`),
    ["bare@v1", "tools/run@new", "tools/run@old"],
  );
  assert.deepEqual(
    [newer.created_at, newer.description, newer.binPath],
    ["2024-05-02T10:00:00.123Z", "2", "functions/tools/run/new/main.bin"],
  );
  assert.equal(older.id, id, "the oldest was taken in first");
  assert.notEqual(newer.id, id, "no id comes twice");
  assert.equal((await called(server, newer.id, "echo sh")).Stdout, "sh\n");
  assert.equal((await called(server, bare.id, "x")).Stdout, "x");
  assert.equal((await called(server, bare.id, "x", { mode: "native" })).Stdout, "x");
  const shown = (await (await fetch(`${server.url}/api/functions/tools%2Frun`)).json()) as { version: object };
  assert.deepEqual((shown.version as { upload?: { label: string } }).upload?.label, "new");
  assert.ok(filesOnDisk(server).includes("tools/run/new/lib/notes.txt"));
  const written = JSON.parse(readFileSync(join(dataDir, "functions/tools/run/new/meta.json"), "utf8")) as object;
  assert.deepEqual(written, { ...newer, mode: "native" });
  await server.stop();

  const again = await started(t, dataDir);
  assert.deepEqual(await listed(again), all, "they are taken in once");
  await again.stop();
});

test("a folder that is broken is reported and left alone, and stops nobody", async (t) => {
  const dataDir = dataFolder(t);
  const elsewhere = join(dataDir, "elsewhere");
  mkdirSync(join(elsewhere, "v1"), { recursive: true });
  writeFileSync(join(elsewhere, "v1/main.bin"), CAT);
  put(dataDir, "good/v1/main.bin", CAT);
  put(dataDir, "json/v1/main.bin", CAT);
  put(dataDir, "json/v1/meta.json", '{"id":');
  put(dataDir, "elf/v1/main.bin", CAT.subarray(0, 1000));
  put(dataDir, "elf/v1/meta.json", "null");
  put(dataDir, "text/v1/main.bin", "#!/bin/sh");
  put(dataDir, "a name/v1/main.bin", CAT);
  put(dataDir, "main.bin", CAT);
  put(dataDir, "unlabelled/main.bin", CAT);
  put(dataDir, "empty/v1/meta.json", "{}");
  put(dataDir, "linked/v1/meta.json", "{}");
  symlinkSync("/etc/passwd", join(dataDir, "functions/linked/v1/main.bin"));
  symlinkSync(elsewhere, join(dataDir, "functions/outside"));
  const before = filesOnDisk({ dataDir });

  const server = await started(t, dataDir);

  assert.deepEqual(
    (await listed(server)).map(({ name }) => name),
    ["good"],
  );
  for (const line of [
    /functions\/json\/v1: not taken in: .*JSON/,
    /functions\/elf\/v1: not taken in: the executable is truncated/,
    /functions\/text\/v1: not taken in: file: is neither/,
    /functions\/a name\/v1: not taken in: name: /,
    /functions\/unlabelled: not taken in: it should lie in a folder of its function's name/,
    /functions\/empty\/v1: not taken in: main\.go not found/,
    /functions\/linked\/v1: not taken in: main\.bin is neither a file nor a folder/,
    /functions\/outside: not taken in: it is a link/,
  ]) {
    assert.match(server.stderr, line);
  }
  assert.deepEqual(
    filesOnDisk(server),
    [...before, "good/v1/meta.json"].toSorted(),
    "nothing of them is changed or removed",
  );
  await server.stop();
});

test("a server that is killed while programs are uploaded has whole ones after its next start, and no rest of others", async (t) => {
  const dataDir = dataFolder(t);
  const answered = new Set<string>();
  for (const [round, afterMs] of [5, 20, 40, 60].entries()) {
    const server = await started(t, dataDir);
    const large = Buffer.concat([CAT, Buffer.alloc(4 * 1024 * 1024, round)]);
    const uploads = Array.from({ length: 4 }, async (_, n) => {
      const response = await send(server, large, "cat", { name: `f${n}`, version: `v${round}` });
      if (response.status === 200) answered.add(((await response.json()) as { id: string }).id);
    });
    void Promise.allSettled(uploads); // they are cut off
    await delay(afterMs);
    const pids = server.boxPids();
    server.process.kill("SIGKILL");
    await server.exited;
    await Promise.allSettled(uploads);
    for (const pid of pids) await gone(pid);
  }

  const server = await started(t, dataDir);

  const all = await listed(server);
  const ids = new Set(all.map(({ id }) => id));
  for (const id of answered) assert.ok(ids.has(id), "what was answered is there");
  assert.deepEqual(
    filesOnDisk(server),
    all.flatMap(({ name, version }) => [`${name}/${version}/main.bin`, `${name}/${version}/meta.json`]).toSorted(),
  );
  assert.ok(namesOnDisk(server).every((name) => /^f\d$/.test(name)));
  for (const { id } of all) assert.equal((await called(server, id, "whole")).Stdout, "whole");
  await server.stop();
});

async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await delay(10);
  }
  assert.fail(`process ${pid} is still there`);
}
