import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { boundTo, CAT, moduleOf, print, programOf } from "./wasm.fixture.ts";
import type { Frame, ShimProcess } from "./worker-under-test.ts";

const MEMORY = '(memory (export "memory") 1)';

function text(logs: readonly Frame[], stream = "stdout"): string {
  return Buffer.concat(logs.filter((log) => log.stream === stream).map(({ data }) => data)).toString();
}

function errorIn({ body }: Frame): { name: string; message: string; stack: string; tip?: string } {
  return JSON.parse(body) as { name: string; message: string; stack: string; tip?: string };
}

async function check(shim: ShimProcess): Promise<Frame> {
  shim.send({ t: "check", id: 1 });
  for (;;) {
    const frame = await shim.next();
    assert(frame !== undefined);
    if (frame.t !== "ready") return frame;
  }
}

/** All frames up to the end of request `id`, giving credit late, as the server might. */
async function answerTo(shim: ShimProcess, id: number, onCredit: (bytes: number) => void = () => {}): Promise<Frame[]> {
  const frames: Frame[] = [];
  let uncredited = 0;
  for (;;) {
    const frame = await shim.next();
    assert(frame !== undefined, "the shim ended before its run");
    if (frame.t === "ready") continue;
    if (frame.t === "credit") onCredit(frame.bytes ?? 0);
    else frames.push(frame);
    if (frame.t === "response" || frame.t === "body") {
      uncredited += frame.data.length;
      assert.ok(uncredited <= 262_144 && frame.data.length <= 65_536);
      if (uncredited === 262_144) {
        shim.send({ t: "credit", id, bytes: uncredited });
        uncredited = 0;
      }
    }
    if (frame.end === true || frame.t === "error" || frame.t === "exit" || frame.t === "result") return frames;
  }
}

function bodyOf(frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.filter(({ t }) => t === "response" || t === "body").map(({ data }) => data));
}

for (const [input, expected] of [
  ["text \u0000 \u00e9\ud83d\ude00", "text \u0000 \u00e9\ud83d\ude00"],
  [{ a: [1] }, '{"a":[1]}'],
  ["", ""],
] as const) {
  test(`the input ${JSON.stringify(input)} is on stdin, and stdout is what was printed`, async (t) => {
    const { logs, end } = await boundTo(t, CAT).run(input);

    assert.deepEqual([end.t, end.body], ["result", ""]);
    assert.equal(text(logs), expected);
  });
}

test("4 MiB go through whole, cut between characters", async (t) => {
  const given = "\u00e9\ud83d\ude00x".repeat(599_186);

  const { logs } = await boundTo(t, CAT).run(given);

  assert.ok(text(logs) === given);
  assert.ok(logs.every(({ body }) => !body.includes("\ufffd")));
});

test("each run has a fresh instance, and the worker stays", async (t) => {
  const counts = programOf(
    `(i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 49))) ${print(100, 1)}`,
    ["fd_write"],
  );
  const shim = boundTo(t, counts);

  for (let run = 0; run < 3; run += 1) assert.equal(text((await shim.run()).logs), "1");
});

test("stderr is apart from stdout, and what is no UTF-8 goes as it is", async (t) => {
  const fields = `${MEMORY} (data (i32.const 16) "a\\ff\\c3") (data (i32.const 32) "err")`;
  const program = programOf(`${print(16, 3)} ${print(32, 3, 2)}`, ["fd_write"], fields);

  const { logs } = await boundTo(t, program).run();

  assert.deepEqual(
    Buffer.concat(logs.filter(({ stream }) => stream === "stdout").map(({ data }) => data)),
    Buffer.from([0x61, 0xff, 0xc3]),
  );
  assert.equal(text(logs, "stderr"), "err");
  assert.ok(logs.every(({ level, stream }) => level === (stream === "stdout" ? "info" : "error")));
});

test("an exit code is told, and what was printed before it; 0 is a success", async (t) => {
  const exits = (code: number): Buffer =>
    programOf(`${print(100, 1)} (call $proc_exit (i32.const ${code})) (unreachable)`, ["fd_write", "proc_exit"]);

  const failed = await boundTo(t, exits(42)).run();
  const fine = await boundTo(t, exits(0)).run();

  assert.deepEqual([failed.end.t, failed.end.code, text(failed.logs)], ["exit", 42, "\0"]);
  assert.equal(fine.end.t, "result");
});

/** Each: the body of a program, and the trap that it ends in. */
const TRAPS: readonly (readonly [string, string])[] = [
  ["(unreachable)", "unreachable"],
  ["(drop (i32.div_s (i32.const 1) (i32.load (i32.const 0))))", "integer divide by zero"],
  ["(drop (i32.rem_u (i32.const 1) (i32.load (i32.const 0))))", "integer divide by zero"],
  ["(drop (i32.div_s (i32.const 0x80000000) (i32.sub (i32.load (i32.const 0)) (i32.const 1))))", "integer overflow"],
  ["(drop (i32.trunc_f32_s (f32.const 1e30)))", "invalid conversion to integer"],
  ["(drop (i32.load (i32.const 65536)))", "out of bounds memory access"],
  ["(call_indirect (type $none) (i32.const 9))", "undefined element"],
  ["(call_indirect (type $none) (i32.const 0))", "indirect call type mismatch"],
  ["(call $deep)", "call stack exhausted"],
];

test("a trap is an error with its name and the functions it was in, and the worker stays", async (t) => {
  const fields = `(type $none (func)) (table 1 funcref) ${MEMORY} (func $deep (call $deep))`;
  for (const [body, name] of TRAPS) {
    const shim = boundTo(t, programOf(`(call $inner)`, [], `${fields} (func $inner ${body})`));
    for (let run = 0; run < 2; run += 1) {
      const { end } = await shim.run();
      const error = errorIn(end);
      assert.deepEqual([end.t, error.name, error.message], ["error", "RuntimeError", name]);
      assert.match(error.stack, /^RuntimeError: [\w ]+\n {4}at (?:inner|deep) \(0x[0-9a-f]+\)\n/, name);
    }
    await shim.close();
  }
});

test("a check says that it is a program, and does not run it", async (t) => {
  assert.equal((await check(boundTo(t, programOf("(unreachable)")))).body, '{"style":"program"}');
});

for (const [what, module, expected] of [
  [
    "an import that is not there",
    moduleOf('(module (import "env" "sbrk" (func)) (memory (export "memory") 1) (func (export "_start")))'),
    "the module imports the function env.sbrk, which is not there: only functions of wasi_snapshot_preview1 are",
  ],
  [
    "a WASI function of another kind",
    moduleOf(
      '(module (import "wasi_snapshot_preview1" "fd_nothing" (func)) (memory (export "memory") 1) (func (export "_start")))',
    ),
    "the module imports the function wasi_snapshot_preview1.fd_nothing, which is not there: only functions of wasi_snapshot_preview1 are",
  ],
  [
    "no memory",
    moduleOf('(module (func (export "_start")))'),
    'the module exports no memory "memory", which WASI needs',
  ],
  [
    "a library",
    moduleOf('(module (memory (export "memory") 1) (func (export "_initialize")))'),
    'the module exports no function "_start": it is a library ("reactor"), not a program',
  ],
  [
    "too much memory from the start",
    moduleOf('(module (memory (export "memory") 2000) (func (export "_start")))'),
    "the module begins with 125 MiB of memory (max 64 MiB, setting MAX_MEMORY)",
  ],
  ["no module", Buffer.from("\0asm\x01\0\0\0\x05\x7f"), "the module is not valid: it is cut off or damaged"],
] as const) {
  test(`a module with ${what} is refused, when it is checked and when it is run`, async (t) => {
    const shim = boundTo(t, module);

    const checked = await check(shim);
    const { end } = await shim.run();

    assert.deepEqual([checked.t, errorIn(checked).message], ["error", expected]);
    assert.deepEqual([end.t, errorIn(end).message], ["error", expected]);
  });
}

test("memory grows to the limit, and not beyond", async (t) => {
  const grows = programOf(
    `(loop $more (br_if $more (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) (unreachable)`,
  );

  const { end } = await boundTo(t, grows).run();

  assert.equal(errorIn(end).message, "unreachable");
  assert.equal(errorIn(end).tip, "its memory had grown to 60 of the 64 MiB that it may have (setting MAX_MEMORY)");
});

test("a maximum of its own that is lower is kept, and names of functions are, too", async (t) => {
  const fields = `(memory (export "memory") 1 2) (func $named (unreachable))`;
  const program = programOf(
    "(if (i32.eq (memory.grow (i32.const 2)) (i32.const -1)) (then (call $named)))",
    [],
    fields,
  );

  assert.match(errorIn((await boundTo(t, program).run()).end).stack, /at named/);
});

test("many runs of a module with much memory do not pile up", async (t) => {
  const shim = boundTo(
    t,
    programOf("(memory.fill (i32.const 0) (i32.const 1) (i32.const 8388608))", [], '(memory (export "memory") 128)'),
  );

  for (let run = 0; run < 100; run += 1) assert.equal((await shim.run()).end.t, "result");

  const status = readFileSync(`/proc/${shim.child.pid}/status`, "utf8");
  const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
  assert.ok(peakKiB < 250_000, `${peakKiB} KiB at most`);
});

test("many runs of a module with a large table have room", async (t) => {
  const fields = '(memory (export "memory") 1) (table 2000000 funcref) (elem (i32.const 0) $f) (func $f)';
  const shim = boundTo(t, programOf("", [], fields));

  for (let run = 0; run < 10; run += 1) assert.equal((await shim.run()).end.t, "result");
});

test("a request's body streams through stdin and stdout within the credit", async (t) => {
  const shim = boundTo(t, CAT);
  const body = Buffer.alloc(2_000_003, "wasm");
  let sent = 65_536;
  let credit = 262_144 - sent;
  shim.send({ t: "request", id: 1, cgi: {}, end: false }, body.subarray(0, sent));
  const feed = (given: number): void => {
    credit += given;
    while (sent < body.length && credit > 0) {
      const to = Math.min(sent + 65_536, sent + credit, body.length);
      shim.send({ t: "body", id: 1, end: to === body.length }, body.subarray(sent, to));
      credit -= to - sent;
      sent = to;
    }
  };
  feed(0);

  const frames = await answerTo(shim, 1, feed);

  assert.equal(frames[0]?.t, "response");
  assert.ok(bodyOf(frames).equals(body));
});

test("a short answer is one frame, and its head is left to the server", async (t) => {
  const shim = boundTo(t, CAT);
  shim.send({ t: "request", id: 1, cgi: {}, end: true }, "hello");

  const frames = await answerTo(shim, 1);

  assert.deepEqual(
    frames.map(({ t, status, headers, end, body, ...more }) => [
      t,
      status,
      headers,
      end,
      body,
      (more as { cgi?: boolean }).cgi,
    ]),
    [["response", 200, [], true, "hello", true]],
  );
});

test("what has come is answered before the program waits for more", async (t) => {
  const shim = boundTo(t, CAT);
  shim.send({ t: "request", id: 1, cgi: {}, end: false }, "first");
  const frames = [await shim.next(), await shim.next(), await shim.next()];

  assert.deepEqual(new Set(frames.map((frame) => frame?.t)), new Set(["credit", "ready", "response"]));
  shim.send({ t: "body", id: 1, end: true }, "last");
  assert.equal(bodyOf(await answerTo(shim, 1)).toString(), "last");
});

test("a request has the CGI variables as its environment; a run has none", async (t) => {
  const environment = programOf(
    `(drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
     (drop (call $environ_get (i32.const 1024) (i32.const 2048)))
     (i32.store (i32.const 0) (i32.const 2048)) (i32.store (i32.const 4) (i32.load (i32.const 20)))
     (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`,
    ["environ_sizes_get", "environ_get", "fd_write"],
  );
  const shim = boundTo(t, environment);
  shim.send({ t: "request", id: 7, cgi: { REQUEST_METHOD: "GET", PATH_INFO: "/\u00e9" }, end: true });

  const frames = await answerTo(shim, 7);
  const { logs } = await shim.run();

  assert.equal(bodyOf(frames).toString(), "REQUEST_METHOD=GET\0PATH_INFO=/\u00e9\0");
  assert.equal(text(logs), "");
});

test("a program that fails at once gives no response; a body that it did not read is no one's later", async (t) => {
  const shim = boundTo(t, programOf(`${print(100, 1)} (unreachable)`, ["fd_write"]));
  shim.send({ t: "request", id: 1, cgi: {}, end: false }, "some");
  const frames = await answerTo(shim, 1);
  shim.send({ t: "body", id: 1, end: true }, "more");
  shim.send({ t: "ping", id: 5 });

  assert.deepEqual(
    frames.map(({ t }) => t),
    ["error"],
  );
  assert.equal((await shim.next())?.t, "pong");
});

test("a program that exits with a code after its response has begun ends it with that", async (t) => {
  const slow = programOf(
    `(memory.fill (i32.const 1024) (i32.const 97) (i32.const 60000))
     ${print(1024, 60_000)} ${print(1024, 60_000)} (call $proc_exit (i32.const 3))`,
    ["fd_write", "proc_exit"],
  );
  const shim = boundTo(t, slow);
  shim.send({ t: "request", id: 1, cgi: {}, end: true });

  const frames = await answerTo(shim, 1);

  assert.deepEqual(frames.map(({ t, code }) => [t, code]).at(-1), ["exit", 3]);
  assert.equal(bodyOf(frames).length, 120_000);
});
