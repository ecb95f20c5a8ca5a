// How runs end: each limit, crash and trick has its own outcome, and nothing is left behind.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

suite("the end of a run", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer({ TIMEOUT_SCRIPT: "1.5", OUTPUT_MAX_SIZE: "2000000", MAX_MEMORY: "64M" });
  });
  after(() => server.dispose());
  afterEach(async () => {
    await server.settled();
    assert.deepEqual((await server.runNow({ language: "javascript", code: "return 'well'" })).json, {
      data: "well",
      type: "string",
    });
    assert.deepEqual((await server.runNow({ language: "python", code: "return 'well'" })).json, {
      data: "well",
      type: "string",
    });
  });

  async function failsWith(language: string, code: string, status: number, message: RegExp): Promise<void> {
    const answer = await server.runNow({ language, code });
    assert.match(answer.text, message, `${code}: ${answer.text.slice(0, 500)}`);
    assert.equal(answer.status, status);
  }

  test("is a timeout for code that never ends, however it holds on", async () => {
    const timeout = /^failed to run: execution timeout \(max 1\.5s\), setting TIMEOUT_SCRIPT$/;
    await Promise.all([
      failsWith("javascript", "for (;;);", 504, timeout),
      failsWith("javascript", "await new Promise((resolve) => setTimeout(resolve, 60000))", 504, timeout),
      failsWith("python", "while True: pass", 504, timeout),
      failsWith(
        "python",
        "import signal\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True:\n  try:\n    import time; time.sleep(9)\n  except BaseException: pass",
        504,
        timeout,
      ),
    ]);
  });

  test("is the memory limit for code that eats memory", async () => {
    const memory = /^failed to run: memory limit exceeded \(max 64M\), setting MAX_MEMORY$/;
    await failsWith("python", "b = []\nwhile True: b.append(bytearray(1 << 20))", 500, memory);
    await failsWith("javascript", "const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1))", 500, memory);
    await failsWith("javascript", "const a = []; for (;;) a.push({ x: [1, 2, 3] })", 500, memory);
  });

  test("is the output limit for code that prints or returns without end", async () => {
    const output =
      /^failed to run: output limit exceeded \(max 2000000 bytes printed or returned\), setting OUTPUT_MAX_SIZE$/;
    await failsWith("javascript", "for (;;) console.log('x'.repeat(1000))", 500, output);
    await failsWith("python", "while True: print('x' * 1000)", 500, output);
    await failsWith("python", "import os\nwhile True: os.write(2, b'x' * 60000)", 500, output);
    await failsWith("python", "return 'x' * 3_000_000", 500, output);
  });

  test("tells an exit code other than 0, and takes 0 for an end without a result", async () => {
    await failsWith("javascript", "process.exit(3)", 500, /^failed to run: exit status 3$/);
    await failsWith("python", "import sys\nsys.exit(4)", 500, /^failed to run: exit status 4$/);
    await failsWith("python", "import os\nos._exit(5)", 500, /^failed to run: exit status 5$/);
    const zero = await server.runNow({ language: "javascript", code: "console.log('bye'); process.exit(0)" });
    assert.deepEqual(zero.json, { data: "bye", type: "text" });
  });

  test("tells a crash by its signal", async () => {
    await failsWith("python", "import ctypes\nctypes.string_at(0)", 500, /SIGSEGV|exit status/);
    await failsWith("javascript", "process.abort()", 500, /unexpectedly: signal|exit status/);
  });

  test("is a failure for code that floods the control channel with rubbish", async () => {
    await failsWith(
      "python",
      "import os\nos.write(3, b'rubbish that is no frame at all')\nimport time\ntime.sleep(5)",
      500,
      /unexpectedly: it sent a header/,
    );
    await failsWith(
      "python",
      "import os\nos.write(3, b'\\0\\0\\0\\x05\\0\\0\\0\\0[1,2]')\nimport time\ntime.sleep(5)",
      500,
      /unexpectedly: it sent/,
    );
    await failsWith(
      "javascript",
      "require('fs').writeSync(3, '\0\0\0\x0b\0\0\0\0{\"t\":\"xyz\"}'); for(;;);",
      500,
      /unexpectedly: it sent an unusable frame of type "xyz"/,
    );
  });

  test("is a failure for code that forges the end of another run", async () => {
    const frame = '{"t":"result","id":99}';
    const code = `import os, struct, time\nf = b'${frame}'\nos.write(3, struct.pack('>II', len(f), 1) + f + b'1')\ntime.sleep(5)`;
    await failsWith("python", code, 500, /unexpectedly: it sent the end of run 99/);
  });

  test("is a failure for code that closes its descriptors", async () => {
    await failsWith(
      "python",
      "import os, time\nos.closerange(0, 64)\ntime.sleep(5)",
      500,
      /unexpectedly: it closed its control channel/,
    );
  });

  test("is survived when code forks and the children stay", async () => {
    const code = "import os, time\nfor i in range(8):\n  if os.fork() == 0:\n    time.sleep(60)\nreturn 'parent'";
    assert.deepEqual((await server.runNow({ language: "python", code })).json, { data: "parent", type: "string" });
  });

  test("is survived when code forks without end", async () => {
    await failsWith("python", "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", 504, /timeout/);
  });

  test("is survived when code kills its init and everything it sees", async () => {
    const { status } = await server.runNow({
      language: "python",
      code: "import os, signal\nos.kill(1, signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)\nreturn 1",
    });
    assert.ok([200, 500].includes(status));
  });

  test("is not changed by what goes to stderr", async () => {
    const flood = await server.runNow({
      language: "javascript",
      code: "for (let i = 0; i < 5000; i++) console.error('warning', i); return 7",
    });
    assert.deepEqual(flood.json, { data: 7, type: "number" });
  });

  test("fills neither the server's disk nor its memory when code fills /tmp", async () => {
    await failsWith(
      "python",
      "with open('/tmp/big', 'wb') as f:\n  while True: f.write(b'x' * (1 << 20))",
      500,
      /No space left|memory limit/,
    );
  });

  test("keeps what was printed through raw descriptors before the end", async () => {
    const code = "import os\nos.write(1, b'raw line\\n')";
    assert.deepEqual((await server.runNow({ language: "python", code })).json, { data: "raw line", type: "text" });
  });
});
