// Programs that every Linux has stand for users' own: the shell reads its script from stdin, as any program reads its input.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { WorkerUnderTest } from "./worker-under-test.ts";

const SHELL = readFileSync(realpathSync("/bin/sh"));
const CAT = readFileSync(realpathSync("/bin/cat"));

function shell(t: TestContext, more: object = {}): WorkerUnderTest {
  const worker = new WorkerUnderTest(t);
  worker.bind(SHELL, more);
  return worker;
}

/** Outside of a box its kill is on its way for a moment, and then it may wait for somebody to take note of its end. */
function hasEnded(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || / Z /.test(readFileSync(stat, "utf8"));
}

function failureIn({ end }: { readonly end: { readonly body: Buffer } }): { name: string; message: string } {
  return JSON.parse(end.body.toString()) as { name: string; message: string };
}

test("a program gets its input on stdin, and what it prints comes out on the stream that it chose", async (t) => {
  const { end, stdout, stderr } = await shell(t).run("echo out; echo err >&2; printf 'no line end'");

  assert.deepEqual(end.header, { t: "result", id: 1 });
  assert.deepEqual([stdout, stderr], ["out\nno line end", "err\n"]);
});

for (const [input, expected] of [
  ["text \u0000 \u00e9\ud83d\ude00\n", "text \u0000 \u00e9\ud83d\ude00\n"],
  [{ a: [1, null, "x"] }, '{"a":[1,null,"x"]}'],
  [42, "42"],
  [null, "null"],
  ["", ""],
  [undefined, ""],
] as const) {
  test(`the input ${JSON.stringify(input)} is ${JSON.stringify(expected)} on stdin`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(CAT);

    const { end, stdout } = await worker.run(input);

    assert.equal(end.header.t, "result");
    assert.equal(stdout, expected);
  });
}

test("an exit code is told, and the worker stays", async (t) => {
  const worker = shell(t);

  const { end } = await worker.run("echo before; exit 3");

  assert.deepEqual(end.header, { t: "exit", id: 1, code: 3, stays: true });
  assert.equal(await worker.whyRetired(), undefined);
  assert.equal((await worker.run("echo again")).stdout, "again\n");
});

for (const [signal, expected] of [
  ["SEGV", "the program was ended by SIGSEGV (segmentation fault)"],
  ["ABRT", "the program was ended by SIGABRT (aborted)"],
  ["TERM", "the program was ended by SIGTERM (terminated)"],
  ["RTMIN", "the program was ended by signal 34"],
] as const) {
  test(`a program that dies of ${signal} is a failure that names it`, async (t) => {
    const worker = shell(t);

    const ran = await worker.run(`kill -${signal === "RTMIN" ? 34 : signal} $$`);

    assert.equal(ran.end.header.t, "error");
    assert.equal(failureIn(ran).message, expected);
    assert.equal(await worker.whyRetired(), undefined);
  });
}

test("a program that is killed takes the worker along, whose box knows why", async (t) => {
  const worker = shell(t);

  await assert.rejects(worker.run("kill -9 $$"), /closed its channel/);

  await new Promise((resolve) => worker.process.once("exit", resolve));
  assert.equal(worker.process.exitCode, 137);
});

test("the environment is the function's variables, and nothing of the launcher's", async (t) => {
  const worker = shell(t, { env: { GREETING: "h\u00e4llo\nworld", EMPTY: "" } });

  const { stdout } = await worker.run(
    "tr '\\0' '\\n' </proc/self/environ 2>/dev/null || /bin/cat /proc/$$/environ | /usr/bin/tr '\\0' '|'",
  );

  assert.match(stdout, /GREETING=h\u00e4llo\nworld|GREETING/);
  const { stdout: ours } = await worker.run('echo "[$OURS][$EMPTY][$GREETING]"');
  assert.equal(ours, "[][][h\u00e4llo\nworld]\n");
});

test("of the launcher's descriptors the program has none", async (t) => {
  const { stdout } = await shell(t).run("/bin/ls /proc/$$/fd; true");

  // The shell may keep a copy of its script at 10.
  assert.deepEqual(
    stdout
      .trim()
      .split("\n")
      .filter((fd) => Number(fd) < 10),
    ["0", "1", "2"],
  );
});

test("the program has the signals of a fresh process", async (t) => {
  const { stdout } = await shell(t).run("/bin/grep -E '^Sig(Blk|Ign)' /proc/self/status");

  assert.equal(stdout, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
});

test("a program that does not read its stdin is none the worse for it", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(readFileSync(realpathSync("/bin/true")));

  const { end } = await worker.run("x".repeat(4_000_000));

  assert.equal(end.header.t, "result");
});

test("much comes through whole: 8 MiB in and out, with bytes that are no UTF-8", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(CAT);
  const text = "\u00e9\ud83d\ude00x".repeat(1_048_576);

  const { stdout } = await worker.run(text);

  assert.ok(stdout === text);
});

test("no log frame ends within a character", async (t) => {
  const worker = shell(t);
  worker.send(
    { t: "run", id: 1 },
    JSON.stringify(
      "printf '\\303'; sleep 0.1; printf '\\251 \\360\\237'; sleep 0.1; printf '\\230\\200'; printf '\\377'; printf '\\342\\202'",
    ),
  );
  const texts: string[] = [];
  for (let frame = await worker.receive(); frame.header.t !== "result"; frame = await worker.receive()) {
    if (frame.header.t === "log") texts.push(frame.body.toString());
  }

  assert.equal(texts.join(""), "\u00e9 \ud83d\ude00\ufffd\ufffd");
});

test("output comes while the program runs", async (t) => {
  const worker = shell(t);
  worker.send({ t: "run", id: 1 }, JSON.stringify("echo first; sleep 1; echo second"));
  await worker.receive();

  const first = await worker.receive();
  const atMs = performance.now();
  await worker.finish(1);

  assert.equal(first.body.toString(), "first\n");
  assert.ok(performance.now() - atMs > 200, "the rest came later");
});

test("what a run leaves behind is gone before the next: processes, files, folders without rights, links", async (t) => {
  const worker = shell(t);
  mkdirSync(join(worker.folder, "elsewhere"));
  writeFileSync(join(worker.folder, "elsewhere", "kept"), "");
  symlinkSync(join(worker.folder, "elsewhere"), join(worker.writable, "link"));

  const { stdout } = await worker.run(
    "/bin/mkdir -p a/b/c; echo x >a/b/c/file; /bin/chmod 0 a/b; /usr/bin/mkfifo pipe; (/bin/sleep 60) & echo $!",
  );
  assert.equal(await worker.whyRetired(), undefined);

  assert.deepEqual(readdirSync(worker.writable), []);
  assert.deepEqual(readdirSync(join(worker.folder, "elsewhere")), ["kept"]);
  const pid = stdout.trim();
  for (let waits = 0; !hasEnded(pid) && waits < 500; waits++) await delay(10);
  assert.ok(hasEnded(pid), "its background process is gone");
});

test("a run does not wait for a background process that holds its stdout", async (t) => {
  const atMs = performance.now();

  const { end, stdout } = await shell(t).run("/bin/sleep 20 & echo done");

  assert.equal(end.header.t, "result");
  assert.equal(stdout, "done\n");
  assert.ok(performance.now() - atMs < 10_000);
});

test("a program cannot be changed for the next run by the one that runs", async (t) => {
  const worker = shell(t);

  const { stdout } = await worker.run(
    "echo x >/proc/$$/exe && echo changed; /bin/chmod 0 /proc/$$/exe; (echo x >>/proc/$$/exe) 2>/dev/null && echo appended; true",
  );

  assert.equal(stdout, "");
  assert.equal((await worker.run("echo whole")).stdout, "whole\n");
});

test("limits that the program sets for the launcher make the worker retire", async (t) => {
  const worker = shell(t);

  await worker.run(`/usr/bin/prlimit --pid ${worker.process.pid} --nofile=200:200`);

  assert.equal(await worker.whyRetired(), "its program changed the limits of the sandbox's first process");
});

test("runs that are sent ahead wait for those before them", async (t) => {
  const worker = shell(t);
  for (const id of [1, 2, 3]) worker.send({ t: "run", id, executionId: "e" }, JSON.stringify(`echo ${id}`));

  for (const id of [1, 2, 3]) assert.equal((await worker.finish(id)).stdout, `${id}\n`);
});

test("with concurrency a run that is cancelled ends, whether it is on or waits", async (t) => {
  const worker = shell(t, { concurrency: 2 });
  worker.send({ t: "run", id: 1, executionId: "e" }, JSON.stringify("/bin/sleep 30"));
  worker.send({ t: "run", id: 2, executionId: "e" }, JSON.stringify("echo never"));
  worker.send({ t: "cancel", id: 2 });
  worker.send({ t: "cancel", id: 1 });

  assert.equal(failureIn(await worker.finish(1)).name, "Cancelled");
  const second = await worker.finish(2);
  assert.deepEqual([failureIn(second).name, second.stdout], ["Cancelled", ""]);
});

test("a program that the kernel refuses says why, when it is run and when it is checked", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(Buffer.from("not an executable"));

  assert.equal(
    failureIn(await worker.run("")).message,
    "the program cannot be started: it is not an executable for this machine",
  );
  const checked = await worker.check();
  assert.equal(failureIn({ end: checked }).message, "the program cannot run here: it is not an ELF executable");
});

test("a check names the loader or the library that is missing, and the machine that a program is for", async (t) => {
  const loaderAt = SHELL.indexOf("/ld-linux");
  const otherLoader = Buffer.from(SHELL);
  otherLoader.write("/ld-other", loaderAt);
  const otherMachine = Buffer.from(SHELL);
  otherMachine.writeUInt16LE(243, 18);
  const otherLibrary = Buffer.from(SHELL);
  otherLibrary.write("libx.so.6", otherLibrary.indexOf("libc.so.6"));

  for (const [program, expected] of [
    [otherLoader, /its loader \/lib\S*\/ld-other\S+ is not in the sandbox/],
    [otherMachine, /it is made for RISC-V, and this machine is /],
    [otherLibrary, /it needs what is not in the sandbox: .*libx\.so\.6.*; link it statically$/],
  ] as const) {
    const worker = new WorkerUnderTest(t);
    worker.bind(program);
    assert.match(failureIn({ end: await worker.check() }).message, expected);
  }
});

test("a check says that a program is one, and does not run it", async (t) => {
  const worker = new WorkerUnderTest(t);
  worker.bind(CAT);

  const { header, body } = await worker.check();

  assert.deepEqual([header.t, body.toString()], ["result", '{"style":"program"}']);
});
