// Programs are uploaded, listed, run and deleted, as docs/native.md says. Those of Go are in native-go.test.ts.
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import {
  called,
  CAT,
  faultOf,
  filesOnDisk,
  listed,
  remove,
  send,
  SHELL,
  uploaded,
  WASM_CAT,
  WASM_EXIT_3,
  WASM_LOOP,
  WASM_TRAP,
} from "../native-under-test.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const UUID4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const MIB = 1024 * 1024;

let server: ServerUnderTest;
before(async () => {
  server = await startServer({ TIMEOUT_SCRIPT: "4", OUTPUT_MAX_SIZE: "100000", MAX_MEMORY: "128M" });
});
after(() => server.dispose());

suite("an uploaded executable", () => {
  test("is a function with an id, a folder and paths", async () => {
    const before = Date.now();
    const cat = await uploaded(server, CAT, "cat.bin", { name: "tools/cat", version: "v1", description: "copies é" });

    const { id, created_at: createdAt, ...rest } = cat;
    assert.match(id, UUID4);
    assert.ok(Date.parse(createdAt) >= before - 1 && Date.parse(createdAt) <= Date.now());
    assert.deepEqual(rest, {
      ...{ version: "v1", name: "tools/cat", binPath: "functions/tools/cat/v1/main.bin", wasmPath: "" },
      description: "copies é",
    });
    assert.deepEqual(await (await fetch(`${server.url}/functions/${id}`)).json(), cat);
    const folder = join(server.dataDir, "functions/tools/cat/v1");
    assert.deepEqual(JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")), { ...cat, mode: "native" });
    assert.ok(readFileSync(join(server.dataDir, cat.binPath)).equals(CAT));
    assert.equal(statSync(join(folder, "main.bin")).mode & 0o100, 0o100, "it can be executed");
  });

  test("has the file's name and the time where it is given none, and no label comes twice", async () => {
    const [one, other] = await Promise.all([
      uploaded(server, CAT, "folder/named.bin"),
      uploaded(server, CAT, "named.exe", { name: "", version: "" }),
    ]);

    assert.deepEqual([one.name, other.name], ["named", "named"]);
    assert.match(one.version, /^v\d{10}$/);
    assert.match(other.version, /^v\d{10}$/);
    assert.notEqual(one.version, other.version);
  });

  test("gets its input from a form field, a part, JSON or the query, and none is none", async () => {
    const { id } = await uploaded(server, CAT, "cat", { name: "input" });
    const url = `${server.url}/invoke/${id}`;
    const part = new FormData();
    part.append("input", "é from a part");
    const file = new FormData();
    file.append("input", new Blob(["from a file"]), "input.txt");
    const json = (value: object): RequestInit => ({
      body: JSON.stringify(value),
      headers: { "content-type": "application/json" },
    });
    const stdoutOf = async (path: string, init: RequestInit): Promise<unknown> => {
      const response = await fetch(path, { method: "POST", ...init });
      return ((await response.json()) as { Stdout?: unknown }).Stdout;
    };

    assert.equal(await stdoutOf(url, { body: new URLSearchParams({ input: "é & co" }) }), "é & co");
    assert.equal(await stdoutOf(url, { body: part }), "é from a part");
    assert.equal(await stdoutOf(url, { body: file }), "from a file");
    assert.equal(await stdoutOf(url, json({ input: "a\nb" })), "a\nb");
    assert.equal(await stdoutOf(url, json({ input: { n: [1] } })), '{"n":[1]}');
    assert.equal(await stdoutOf(`${url}?input=a%20b`, {}), "a b");
    assert.equal(await stdoutOf(`${url}?input=query`, json({ input: "body" })), "body");
    assert.equal(await stdoutOf(url, {}), "");
    const curl = { body: '{"input":"x"}', headers: { "content-type": "application/x-www-form-urlencoded" } };
    assert.equal(await stdoutOf(url, curl), "x");
    const whole = "x".repeat(90_000);
    assert.equal(await stdoutOf(url, { body: new URLSearchParams({ input: whole }) }), whole);
  });

  test("tells its output, its complaints and its own exit code", async () => {
    const { id } = await uploaded(server, SHELL, "sh", { name: "sh", version: "exit" });

    const { DurationMs: _ms, ...result } = await called(server, id, "printf out; echo err >&2; exit 3");

    assert.deepEqual(result, { Stdout: "out", Stderr: "err\n", ExitCode: 3 });
    assert.equal((await called(server, id, "echo fine")).ExitCode, 0);
  });

  test("that meets a limit answers -1 and says which, with what it had printed", async () => {
    const { id } = await uploaded(server, SHELL, "sh", { name: "sh", version: "limits" });

    const late = await called(server, id, "echo begun; echo oh >&2; while :; do :; done");
    assert.deepEqual([late.Stdout, late.ExitCode], ["begun\n", -1]);
    assert.equal(late.Stderr, "oh\nexecution timeout (max 4s), setting TIMEOUT_SCRIPT\n");
    const loud = await called(server, id, "while :; do echo 0123456789012345678901234567890123456789; done");
    assert.equal(loud.ExitCode, -1);
    assert.match(loud.Stderr, /output limit exceeded \(max 100000 bytes.*OUTPUT_MAX_SIZE/);
    const large = await called(server, id, "x=0123456789abcdef; while :; do x=$x$x; done");
    assert.equal(large.ExitCode, -1);
    assert.match(large.Stderr, /memory limit exceeded \(max 128M\), setting MAX_MEMORY/);

    const records = await (await fetch(`${server.url}/api/executions?limit=3`)).json();
    const { items: last } = records as { items: { status: string; trigger: string }[] };
    assert.deepEqual(
      last.map(({ status, trigger }) => `${trigger} ${status}`),
      ["invoke oom", "invoke killed", "invoke timeout"],
    );
  });

  test("that dies of a signal has no exit code, and says which it was", async () => {
    const { id } = await uploaded(server, SHELL, "sh", { name: "sh", version: "signals" });

    const { DurationMs: _ms, ...result } = await called(server, id, "echo begun; kill -SEGV $$");

    const words = "the program was ended by SIGSEGV (segmentation fault)\n";
    assert.deepEqual(result, { Stdout: "begun\n", Stderr: words, ExitCode: -1 });
  });

  test("is called through /fn/ and /run/, too, and shown with its artifact", async () => {
    const { id } = await uploaded(server, CAT, "cat", { name: "everywhere", version: "v1" });

    assert.equal(await (await server.post("/fn/everywhere", "a body")).text(), "a body");
    assert.deepEqual((await server.run("everywhere", { n: 1 })).json, { data: { n: 1 }, type: "json" });
    const shown = (await (await fetch(`${server.url}/api/functions/everywhere`)).json()) as {
      language: string;
      version: object;
    };
    assert.equal(shown.language, "native");
    const { artifacts, mode, upload, style, code } = shown.version as Record<string, unknown>;
    assert.deepEqual([mode, style, code], ["native", "program", ""]);
    assert.deepEqual(upload, { id, label: "v1", description: "" });
    const [artifact, another] = artifacts as { mode: string; sizeBytes: number; sha256: string }[];
    assert.equal(another, undefined);
    assert.deepEqual([artifact?.mode, artifact?.sizeBytes], ["native", CAT.length]);
    assert.match(artifact?.sha256 ?? "", /^[\da-f]{64}$/);
  });

  test("of tens of megabytes is stored and run", async () => {
    const large = Buffer.concat([CAT, Buffer.alloc(40 * MIB, 1)]); // what follows a program is no part of it
    const { id, binPath } = await uploaded(server, large, "large.bin", { name: "large" });

    assert.equal((await called(server, id, "still a cat")).Stdout, "still a cat");
    assert.equal(statSync(join(server.dataDir, binPath)).size, large.length);
    assert.equal((await called(server, id, "warm")).Stdout, "warm");
  });
});

suite("an uploaded module", () => {
  test("is run with its input, and has no executable", async () => {
    const { id, binPath, wasmPath } = await uploaded(server, WASM_CAT, "cat.anything", { name: "wasm", version: "1" });

    assert.deepEqual([binPath, wasmPath], ["", "functions/wasm/1/main.wasm"]);
    assert.equal((await called(server, id, "é through WASI")).Stdout, "é through WASI");
    assert.equal((await called(server, id, "")).Stdout, "");
    const whole = "0123456789".repeat(9_000);
    assert.equal((await called(server, id, whole)).Stdout, whole);
    const response = await fetch(`${server.url}/invoke/${id}?mode=native`, { method: "POST" });
    assert.match(await faultOf(response), /^400 mode: version \d+ of function "wasm" has no native program$/);
  });

  test("has its own exit code, none after a trap, and is ended by the timeout", async () => {
    const exits = await uploaded(server, WASM_EXIT_3, "exit.wasm");
    const { DurationMs: _ms, ...result } = await called(server, exits.id);
    assert.deepEqual(result, { Stdout: "", Stderr: "oh\n", ExitCode: 3 });

    const traps = await uploaded(server, WASM_TRAP, "trap.wasm");
    const { ExitCode: code, Stderr: words } = await called(server, traps.id);
    assert.equal(code, -1);
    assert.match(words, /^integer divide by zero\nRuntimeError: integer divide by zero\n {4}at function 0 /);

    const loops = await uploaded(server, WASM_LOOP, "loop.wasm");
    const late = await called(server, loops.id);
    assert.deepEqual([late.ExitCode, late.Stderr], [-1, "execution timeout (max 4s), setting TIMEOUT_SCRIPT\n"]);
  });
});

suite("the list of uploads", () => {
  test("has each version of each function, the newest first", async () => {
    const ids: string[] = [];
    for (const version of ["a", "b", "c"]) ids.push((await uploaded(server, CAT, "x", { name: "listed", version })).id);

    const all = await listed(server);

    assert.deepEqual(
      all.slice(0, 3).map(({ id }) => id),
      ids.toReversed(),
    );
    const times = all.map(({ created_at: at }) => Date.parse(at));
    assert.deepEqual(
      times,
      times.toSorted((a, b) => b - a),
    );
  });

  test("is empty before the first upload", async () => {
    const empty = await startServer();
    const response = await fetch(`${empty.url}/functions`);

    assert.deepEqual([response.status, await response.text()], [200, "[]"]);
    assert.equal(existsSync(join(empty.dataDir, "functions")), false);
    await empty.dispose();
  });
});

suite("a deleted version", () => {
  test("is gone with its folder, and the newest other one takes its place", async () => {
    const shell = await uploaded(server, SHELL, "sh", { name: "two", version: "old" });
    const cat = await uploaded(server, CAT, "cat", { name: "two", version: "new" });
    assert.equal(await (await server.post("/fn/two", "echo hi")).text(), "echo hi");
    await called(server, cat.id, "x");

    const response = await remove(server, cat.id);

    assert.deepEqual([response.status, await response.text()], [200, '{"success":"true"}']);
    assert.deepEqual(
      filesOnDisk(server).filter((path) => path.startsWith("two/")),
      ["two/old/main.bin", "two/old/meta.json"],
    );
    assert.equal((await called(server, shell.id, "echo hi")).Stdout, "hi\n");
    assert.match(await (await server.post("/fn/two", "echo hi")).text(), /hi/);
    const call = await fetch(`${server.url}/invoke/${cat.id}`, { method: "POST" });
    assert.equal(await faultOf(call), "404 function not found");
    assert.equal(await faultOf(await fetch(`${server.url}/functions/${cat.id}`)), "404 not found");
    assert.equal(await faultOf(await remove(server, cat.id)), "404 not found");
  });

  test("that was the last takes its function along, and the name is free again", async () => {
    const only = await uploaded(server, CAT, "cat", { name: "last/one", version: "v1" });

    await remove(server, only.id);

    assert.equal((await server.post("/fn/last/one", "")).status, 404);
    assert.equal(existsSync(join(server.dataDir, "functions/last")), false);
    const again = await uploaded(server, CAT, "cat", { name: "last/one", version: "v1" });
    assert.notEqual(again.id, only.id);
  });

  test("to which an alias points stays", async () => {
    const old = await uploaded(server, CAT, "cat", { name: "aliased", version: "old" });
    await uploaded(server, CAT, "cat", { name: "aliased", version: "new" });
    const { version } = (await (
      await fetch(`${server.url}/api/functions/aliased/versions?limit=2`)
    )
      .json()
      .then((page) => (page as { items: unknown[] }).items[1])) as { version: number };
    const alias = `${server.url}/api/functions/aliased/aliases/stable`;
    assert.equal((await fetch(alias, { method: "PUT", body: JSON.stringify({ version }) })).status, 200);

    assert.match(await faultOf(await remove(server, old.id)), /^409 .*alias/);
    assert.equal((await called(server, old.id, "there")).Stdout, "there");
    assert.ok(existsSync(join(server.dataDir, old.binPath)));
  });

  test("or a function, by the management API, takes its folder along", async () => {
    await uploaded(server, CAT, "cat", { name: "managed", version: "old" });
    await uploaded(server, CAT, "cat", { name: "managed", version: "new" });
    const { items } = (await (await fetch(`${server.url}/api/functions/managed/versions`)).json()) as {
      items: { version: number }[];
    };
    await fetch(`${server.url}/api/functions/managed/versions/${items[1]?.version}`, { method: "DELETE" });
    const own = (): string[] => filesOnDisk(server).filter((path) => path.startsWith("managed/"));
    assert.deepEqual(own(), ["managed/new/main.bin", "managed/new/meta.json"]);

    await fetch(`${server.url}/api/functions/managed`, { method: "DELETE" });
    assert.deepEqual(own(), []);
  });
});

suite("any function", () => {
  test("is read and called by its id: what it printed, then what it returned", async () => {
    await server.upload("other/script", "javascript", 'console.log("printed"); console.error("oh"); return event');
    const { id, name } = (await (await fetch(`${server.url}/api/functions/other%2Fscript`)).json()) as {
      id: string;
      name: string;
    };

    const read = (await (await fetch(`${server.url}/functions/${id}`)).json()) as object;
    assert.deepEqual(
      { ...read, version: "", created_at: "" },
      {
        ...{ id, name, version: "", binPath: "", wasmPath: "", description: "", created_at: "" },
      },
    );
    const { DurationMs: _ms, ...result } = await called(server, id, '{"n":[1,2]}');
    assert.deepEqual(result, { Stdout: 'printed\n{"n":[1,2]}', Stderr: "oh\n", ExitCode: 0 });
    assert.equal((await called(server, id, "a text")).Stdout, "printed\na text");
    assert.equal((await called(server, id)).Stdout, "printed\n{}");
    assert.equal(await faultOf(await remove(server, id)), "404 not found");
    assert.equal(await faultOf(await fetch(`${server.url}/functions/other%2Fscript`)), "404 not found");
  });

  test("that throws has the exit code 1 and says why", async () => {
    await server.upload("throws", "python", 'raise ValueError("no good")');
    const { id } = (await (await fetch(`${server.url}/api/functions/throws`)).json()) as { id: string };

    const result = await called(server, id);
    assert.equal(result.ExitCode, 1);
    assert.match(result.Stderr, /ValueError: no good/);
  });

  test("that is renamed takes its folders along", async () => {
    const { id } = await uploaded(server, CAT, "cat", { name: "before", version: "v1" });
    await fetch(`${server.url}/api/functions/before`, { method: "PATCH", body: '{"name":"after/it"}' });

    const read = (await (await fetch(`${server.url}/functions/${id}`)).json()) as { binPath: string };
    assert.equal(read.binPath, "functions/after/it/v1/main.bin");
    assert.deepEqual(
      filesOnDisk(server).filter((path) => /^(?:before|after)\//.test(path)),
      ["after/it/v1/main.bin", "after/it/v1/meta.json"],
    );
    const meta = JSON.parse(readFileSync(join(server.dataDir, "functions/after/it/v1/meta.json"), "utf8")) as object;
    assert.deepEqual(meta, { ...read, mode: "native" });
  });
});

suite("the management API", () => {
  test("takes an executable or a module as it is, curl -T", async () => {
    const url = `${server.url}/api/functions/by-put`;
    const put = async (file: Buffer, query: string, headers: Record<string, string> = {}): Promise<Response> =>
      await fetch(`${url}?${query}`, { method: "PUT", body: new Uint8Array(file), headers });

    const first = await put(CAT, "language=native");
    assert.equal(first.status, 201, await first.clone().text());
    const again = await put(CAT, "language=native", { "content-type": "application/octet-stream" });
    assert.equal(again.status, 200, "the same program is the same version");
    assert.equal(await (await server.post("/fn/by-put", "hi")).text(), "hi");
    const shown = (await again.json()) as { version: { mode?: string; artifacts?: { sizeBytes: number }[] } };
    assert.deepEqual([shown.version.mode, shown.version.artifacts?.[0]?.sizeBytes], ["native", CAT.length]);

    const wrong = await put(CAT, "language=wasm");
    assert.equal(wrong.status, 400);
    assert.match(await wrong.text(), /the file is an executable/);
    assert.equal((await put(Buffer.from("#!/bin/sh"), "language=native")).status, 415);
    const module = await put(WASM_CAT, "language=wasm");
    assert.equal(module.status, 201, await module.clone().text());
    assert.deepEqual(
      (await listed(server)).filter(({ name }) => name === "by-put"),
      [],
      "it is no upload of the native API",
    );
  });

  test("says how a program is sent where a text comes instead", async () => {
    const body = { name: "as-text", language: "native", code: "\x7fELF" };
    const response = await server.post("/api/functions", body);

    assert.equal(response.status, 400);
    assert.match(await response.text(), /curl -T FILE/);
    assert.equal((await fetch(`${server.url}/api/functions/as-text`)).status, 404);
    const uploadResponse = await server.post("/upload", { path: "as-text", language: "native", code: "x" });
    assert.equal(uploadResponse.status, 400);
    assert.match(await (await server.post("/run-now", { language: "native", code: "x" })).text(), /deployed first/);
  });
});

suite("where keys are needed", () => {
  test("an upload needs deploy, a list read, and a call invoke", async () => {
    const admin = "a-long-enough-admin-key-for-this-test";
    const guarded = await startServer({ HOST: "0.0.0.0", ADMIN_KEY: admin });
    const url = guarded.url.replace("0.0.0.0", "127.0.0.1");
    const bearer = (key: string): { headers: Record<string, string> } => ({
      headers: { authorization: `Bearer ${key}` },
    });
    const keys: Record<string, string> = {};
    for (const scope of ["read", "invoke", "deploy"]) {
      const made = await fetch(`${url}/api/keys`, {
        ...bearer(admin),
        ...{ method: "POST", body: JSON.stringify({ name: scope, scope }) },
      });
      keys[scope] = ((await made.json()) as { key: string }).key;
    }
    const { id } = await uploaded(guarded, CAT, "cat", { name: "cat" }, bearer(keys["deploy"] ?? ""));
    const status = async (path: string, method: string, key: string): Promise<number> =>
      (await fetch(url + path, { method, ...bearer(key) })).status;

    assert.equal(await status(`/functions/${id}`, "GET", keys["read"] ?? ""), 200);
    assert.equal(await status("/functions", "GET", keys["read"] ?? ""), 200);
    assert.equal(await status(`/invoke/${id}`, "POST", keys["invoke"] ?? ""), 200);
    assert.equal(await status(`/invoke/${id}`, "POST", "clo_unknown"), 401);
    assert.equal(await status(`/functions/${id}`, "DELETE", keys["read"] ?? ""), 403);
    assert.equal(await status(`/functions/${id}`, "DELETE", keys["invoke"] ?? ""), 403);
    const refused = await send(guarded, CAT, "cat", {}, bearer(keys["invoke"] ?? ""));
    assert.match(await faultOf(refused), /^403 .*"deploy" is needed/);
    assert.match(await faultOf(await fetch(`${url}/functions`)), /^401 /);
    assert.equal(await status(`/functions/${id}`, "DELETE", keys["deploy"] ?? ""), 200);
    await guarded.dispose();
  });

  test("a page of another origin is refused on loopback", async () => {
    const init = { headers: { origin: "https://evil.example" } };

    assert.match(await faultOf(await send(server, CAT, "cat", { name: "evil" }, init)), /^403 origin/);
    assert.match(await faultOf(await fetch(`${server.url}/functions`, init)), /^403 origin/);
  });
});
