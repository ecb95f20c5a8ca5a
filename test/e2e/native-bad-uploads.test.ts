// Files that strangers send: each is refused with words, and nothing of it stays.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { type ZipEntry, zipOf } from "../../src/services/zip.fixture.ts";
import { CAT, faultOf, listed, namesOnDisk, refusal, send, uploaded, WASM_CAT, wasmOf } from "../native-under-test.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const MIB = 1024 * 1024;
const GO = "package main\n\nfunc main() {}\n";

let server: ServerUnderTest;
before(async () => {
  server = await startServer({ MAX_MEMORY: "128M", BODY_MAX_SIZE: "100000" });
});
after(() => server.dispose());
afterEach(async () => {
  assert.deepEqual(namesOnDisk(server), [], "nothing is left on the disk");
  assert.deepEqual(await listed(server), []);
  const functions = (await (await fetch(`${server.url}/api/functions`)).json()) as { items: unknown[] };
  assert.deepEqual(functions.items, []);
});

function changed(program: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(program);
  change(bytes);
  return bytes;
}

suite("an archive", () => {
  const main = { name: "main.go", content: GO };
  const wicked: readonly (readonly [string, readonly ZipEntry[], RegExp])[] = [
    [
      "climbs out",
      [{ name: "../../evil.go", content: GO }, main],
      /^400 archive: illegal file path in zip: .*evil\.go/,
    ],
    [
      "names an absolute path",
      [{ name: "/etc/cron.d/x", content: "" }, main],
      /^400 archive: illegal file path in zip/,
    ],
    ["has a backslash in a name", [{ name: "..\\x", content: "" }, main], /^400 archive: illegal file path in zip/],
    ["has a link", [{ name: "a", content: "/etc/passwd", unixMode: 0o120777 }, main], /^400 .*no plain file/],
    ["has a device", [{ name: "a", content: "", unixMode: 0o020666 }, main], /^400 .*no plain file/],
    ["has a fifo", [{ name: "a", content: "", unixMode: 0o010666 }, main], /^400 .*no plain file/],
    ["is packed like a bomb", [{ name: "a", content: Buffer.alloc(20 * MIB) }, main], /^400 .*200 to 1/],
    [
      "is larger than it says",
      [{ name: "a", content: Buffer.alloc(9 * MIB), claimedBytes: 10 }, main],
      /^400 .*too many/,
    ],
    ["says that it is huge", [{ name: "a", content: "x", claimedBytes: 51 * MIB }, main], /^413 .*more than 50 MiB/],
    [
      "has ten thousand files and one",
      Array.from({ length: 10_001 }, (_, n) => ({ name: `f${n}`, content: "" })),
      /^400 .*more than 10000 files/,
    ],
    ["is encrypted", [{ name: "main.go", content: GO, encrypted: true }], /^400 .*encrypted/],
    ["has no main.go", [{ name: "readme.txt", content: "x" }], /^400 main\.go not found in zip$/],
    [
      "has its code in another archive",
      [{ name: "src.zip", content: zipOf([main]) }],
      /^400 main\.go not found in zip$/,
    ],
    ["has a file that is a folder", [{ name: "a", content: "" }, { name: "a/b", content: "" }, main], /^400 .*both/],
    ["has a main.go that is no text", [{ name: "main.go", content: Buffer.from([0xff, 0xfe, 0]) }], /^400 .*UTF-8/],
  ];
  for (const [what, entries, message] of wicked) {
    test(`that ${what} is refused`, async () => {
      assert.match(await refusal(server, zipOf(entries), "src.zip", { name: "wicked" }), message);
    });
  }

  test("that is none, or ends early, is refused", async () => {
    assert.match(await refusal(server, "no zip", "src.zip"), /^400 archive: /);
    assert.match(await refusal(server, zipOf([main]).subarray(0, 60), "src.zip"), /^400 archive: /);
    assert.match(await refusal(server, "", "src.zip"), /^400 archive: /);
  });
});

suite("an executable", () => {
  const wicked: readonly (readonly [string, Buffer, RegExp])[] = [
    ["is truncated", CAT.subarray(0, CAT.length / 2), /^415 the executable is truncated/],
    ["has only its magic", CAT.subarray(0, 4), /^415 the executable is truncated/],
    ["is for another machine", changed(CAT, (bytes) => bytes.writeUInt16LE(8, 18)), /^415 .*is for MIPS/],
    ["is of 32 bits", changed(CAT, (bytes) => bytes.writeUInt8(1, 4)), /^415 .*32-bit/],
    [
      "needs a library that is not there",
      changed(CAT, (bytes) => bytes.write("libx.so.6", bytes.indexOf("libc.so.6"))),
      /^400 .*not in the sandbox.*libx\.so\.6.*statically/s,
    ],
    [
      "needs a loader that is not there",
      changed(CAT, (bytes) => bytes.write("/ld-other", bytes.indexOf("/ld-linux"))),
      /^400 .*ld-other.*is not in the sandbox/s,
    ],
  ];
  for (const [what, program, message] of wicked) {
    test(`that ${what} is refused`, async () => {
      assert.match(await refusal(server, program, "main.bin", { name: "wicked" }), message);
    });
  }
});

suite("a module", () => {
  const start = '(memory (export "memory") 1) (func (export "_start"))';
  const wicked: readonly (readonly [string, Buffer, RegExp])[] = [
    ["wants more than WASI", wasmOf(`(module (import "env" "f" (func)) ${start})`), /^415 .*imports "env\.f"/],
    [
      "begins with 4 GiB",
      wasmOf(`(module ${start.replace(" 1)", " 65536)")})`),
      /^415 .*4096 MiB of memory.*MAX_MEMORY/,
    ],
    ["has nothing to start", wasmOf('(module (memory (export "memory") 1))'), /^415 .*exports no function "_start"/],
    ["is truncated", WASM_CAT.subarray(0, WASM_CAT.length - 3), /^415 .*truncated/],
    ["is its magic alone", WASM_CAT.subarray(0, 4), /^415 .*truncated/],
    // The last byte of a body is `end`.
    [
      "does not compile",
      changed(WASM_CAT, (bytes) => bytes.writeUInt8(0xff, bytes.length - 1)),
      /^400 .*the module is not valid/,
    ],
  ];
  for (const [what, program, message] of wicked) {
    test(`that ${what} is refused`, async () => {
      assert.match(await refusal(server, program, "main.wasm", { name: "wicked" }), message);
    });
  }
});

suite("an upload", () => {
  test("of anything else is refused", async () => {
    for (const [file, name] of [
      ["#!/bin/sh\necho hi", "run.sh"],
      ["", "empty"],
      [zipOf([{ name: "main.go", content: GO }]), "zip-without-its-name"],
      [Buffer.alloc(100), "main.bin"],
    ] as const) {
      assert.match(await refusal(server, file, name), /^415 file: is neither a Linux executable/, name);
    }
  });

  test("with a name or a label that is none is refused", async () => {
    for (const name of [
      "../../tmp/evil",
      "/etc/x",
      "a//b",
      "a/../b",
      "..",
      "a b",
      "~x",
      "é",
      "a\0b",
      "x".repeat(201),
    ]) {
      assert.match(await refusal(server, CAT, "cat", { name }), /^400 name: /, name);
    }
    for (const version of ["../v1", "..", ".", "a/b", "a b", "é", "x".repeat(101)]) {
      assert.match(await refusal(server, CAT, "cat", { name: "cat", version }), /^400 version: /, version);
    }
    assert.match(await refusal(server, CAT, "no name.bin"), /^400 name: /);
    const long = { name: "cat", description: "é".repeat(251) };
    assert.match(await refusal(server, CAT, "cat", long), /^400 description: 500 bytes at most/);
  });

  test("in a mode that is none, or is not there, is refused", async () => {
    assert.match(await refusal(server, CAT, "cat", { mode: "fast" }), /^400 mode: "native" or "wasm"/);
    assert.match(await refusal(server, CAT, "cat", { mode: "wasm" }), /^400 mode: "wasm" is not possible/);
    assert.match(await refusal(server, WASM_CAT, "cat", { mode: "native" }), /^400 mode: "native" is not possible/);
  });

  test("without a file, as another body, or with fields that nobody knows is refused", async () => {
    const post = async (body: string | FormData | null, headers: Record<string, string> = {}): Promise<string> =>
      await faultOf(await fetch(`${server.url}/functions`, { method: "POST", body, headers }));
    const form = (fields: Record<string, string | Blob>): FormData => {
      const made = new FormData();
      for (const [name, value] of Object.entries(fields)) {
        if (typeof value === "string") made.append(name, value);
        else made.append(name, value, "cat");
      }
      return made;
    };
    const file = new Blob([new Uint8Array(CAT)]);

    assert.equal(await post(null), "400 file required");
    assert.equal(await post("{}", { "content-type": "application/json" }), "400 file required");
    assert.equal(await post(form({ name: "x" })), "400 file required");
    assert.equal(await post(form({ file: "a text" })), "400 file required");
    assert.match(await post(form({ file, command: "x" })), /^400 "command" is no field here/);
    const twice = form({ file });
    twice.append("file", file, "cat");
    assert.match(await post(twice), /^400 file: is there twice/);
    const names = form({ file, name: "a" });
    names.append("name", "b");
    assert.match(await post(names), /^400 name: is there twice/);
    assert.match(await post("--x\r\n", { "content-type": "multipart/form-data; boundary=x" }), /^400 the body is not/);
    assert.match(await post("--x\r\n", { "content-type": "multipart/form-data" }), /^400 /);
  });

  test("of more than 50 MiB is refused by its announced length", async () => {
    assert.match(
      await refusal(server, Buffer.alloc(51 * MIB), "large.bin"),
      /^413 request body too large \(max \d+ bytes\)$/,
    );
  });
});

suite("a call", () => {
  test("of nothing, or with a body that says nothing, is refused", async () => {
    const call = async (id: string, init: RequestInit = {}): Promise<string> =>
      await faultOf(await fetch(`${server.url}/invoke/${id}`, { method: "POST", ...init }));
    const json = { "content-type": "application/json" };

    for (const id of ["nope", "", "a/b", "00000000-0000-4000-8000-000000000000"]) {
      assert.equal(await call(id), "404 function not found", id);
    }
    assert.match(await call("%zz"), /^400 /);
    const { id } = await uploaded(server, CAT, "cat", { name: "cat" });
    assert.match(await call(id, { body: "not JSON", headers: json }), /^400 the body is not JSON/);
    assert.match(await call(id, { body: "[1]", headers: json }), /^400 the body is neither a form nor/);
    assert.match(await call(id, { body: '{"mode":"fast"}', headers: json }), /^400 mode: /);
    assert.match(await call(id, { body: "x".repeat(100_001), headers: json }), /^413 /);
    await fetch(`${server.url}/functions/${id}`, { method: "DELETE" });
  });
});

suite("of two uploads at once with one name and label", () => {
  test("one is stored, and the other refused", async () => {
    const fields = { name: "race", version: "v1" };
    const answers = await Promise.all([CAT, WASM_CAT, CAT, WASM_CAT].map((file) => send(server, file, "x", fields)));
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);

    assert.deepEqual(statuses, [200, 409, 409, 409]);
    const [stored] = await listed(server);
    const refused = answers.find(({ status }) => status === 409);
    assert.match(await faultOf(refused ?? Response.error()), /^409 .*race\/v1 already/);
    assert.match(await refusal(server, CAT, "x", fields), /^409 /);
    await fetch(`${server.url}/functions/${stored?.id}`, { method: "DELETE" });
  });

  test("or where one's folder is in the way of the other's, likewise", async () => {
    const outer = await uploaded(server, CAT, "cat", { name: "team", version: "tools" });
    const inner = await uploaded(server, CAT, "cat", { name: "team/other", version: "v1" });

    assert.match(await refusal(server, CAT, "cat", { name: "team", version: "other" }), /^409 .*team\/other already/);

    for (const { id } of [outer, inner]) await fetch(`${server.url}/functions/${id}`, { method: "DELETE" });
  });
});
