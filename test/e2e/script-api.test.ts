// The script API over HTTP: uploads, versions, inputs, results and faults.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

suite("the script API", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer();
  });
  after(() => server.dispose());
  afterEach(async () => {
    await server.settled();
  });

  test("runs an uploaded script with its input", async () => {
    const version = await server.upload("math/add", "python", "return event.get('a', 0) + event.get('b', 0)");

    assert.ok(Math.abs(version - Date.now() / 1000) < 60, "a version is Unix seconds");
    assert.deepEqual((await server.run("math/add", { a: 3, b: 5 })).json, { data: 8, type: "number" });
    assert.deepEqual((await server.run("math/add", '{"a":1}')).json, { data: 1, type: "number" });
    assert.deepEqual((await server.run("math/add", "  ")).json, { data: 0, type: "number" });
    const withoutBody = await fetch(`${server.url}/run/math/add`, { method: "POST" });
    assert.deepEqual(await withoutBody.json(), { data: 0, type: "number" });
  });

  test("keeps every version with its own language and serves the latest by default", async () => {
    const first = await server.upload("kept", "python", "return 'py'");
    const second = await server.upload("kept", "javascript", "return 'js'");

    assert.ok(second > first);
    const at = async (query: string): Promise<unknown> =>
      ((await (await server.post(`/run/kept${query}`, {})).json()) as { data: unknown }).data;
    assert.equal(await at(""), "js");
    assert.equal(await at("?version=0"), "js");
    assert.equal(await at("?version=abc"), "js");
    assert.equal(await at(`?version=${second}`), "js");
    assert.equal(await at(`?version=${first}`), "py");
    const unknown = await server.post("/run/kept?version=7", {});
    assert.equal(unknown.status, 404);
    assert.equal(await unknown.text(), "bad request: assign version not found");
  });

  test("gives concurrent uploads to one path different versions, each with its own code", async () => {
    const versions = await Promise.all(
      Array.from({ length: 12 }, (_, index) => server.upload("race", "javascript", `return ${index}`)),
    );

    assert.equal(new Set(versions).size, 12);
    const results = await Promise.all(
      versions.map(async (version) => (await server.post(`/run/race?version=${version}`, {})).json()),
    );
    assert.deepEqual(
      results.map((result) => (result as { data: number }).data),
      Array.from({ length: 12 }, (_, index) => index),
    );
  });

  test("serves many paths, with Unicode, dots and leading slashes in them", async () => {
    const paths = [
      "測試/加法",
      "a b/c%d",
      "x.y/z.",
      "///lead",
      ...Array.from({ length: 40 }, (_, index) => `many/${index}`),
    ];
    for (const path of paths) await server.upload(path, "javascript", `return ${JSON.stringify(path)}`);

    for (const path of paths) {
      const encoded = path.split("/").map(encodeURIComponent).join("/");
      const { json } = await server.run(encoded);
      assert.deepEqual(json, { data: path, type: "string" });
    }
    assert.deepEqual((await server.run("//lead")).json, { data: "///lead", type: "string" });
  });

  test("types results as the contract says", async () => {
    const cases: readonly (readonly [language: string, code: string, expected: unknown])[] = [
      ["javascript", "return '5'", { data: "5", type: "string" }],
      ["javascript", "return JSON.stringify({a: [1]})", { data: { a: [1] }, type: "json" }],
      ["python", "import json\nreturn json.dumps([1, 2], indent=1)", { data: [1, 2], type: "json" }],
      ["javascript", "return '{not json'", { data: "{not json", type: "string" }],
      ["javascript", "return true", { data: true, type: "json" }],
      ["javascript", "return null", { data: null, type: "json" }],
      ["python", "return None", { data: null, type: "json" }],
      ["python", "pass", { data: "", type: "text" }],
      ["javascript", "", { data: "", type: "text" }],
      ["python", "# only a comment", { data: "", type: "text" }],
      ["javascript", "console.log('a'); console.log('b')", { data: "a\nb", type: "text" }],
      ["javascript", "console.log('a'); console.log('{\"b\":1}')", { data: { b: 1 }, type: "json" }],
      ["python", "print('{')\nprint('\"x\": 1}')", { data: { x: 1 }, type: "json" }],
      ["python", "import sys\nprint('out')\nprint('err', file=sys.stderr)", { data: "out", type: "text" }],
      ["javascript", "globalThis.result = 3", { data: 3, type: "number" }],
      ["python", "result = [1]", { data: [1], type: "json" }],
      ["typescript", "const n: number = await Promise.resolve(4);\nreturn n", { data: 4, type: "number" }],
    ];

    for (const [language, code, expected] of cases) {
      // Blank code is refused on /run-now, so that one is uploaded with a blank.
      const { json, text } = code === "" ? await emptyScript() : await server.runNow({ language, code });
      assert.deepEqual(json, expected, `${language}: ${code} gave ${text}`);
    }
    async function emptyScript(): ReturnType<ServerUnderTest["run"]> {
      await server.upload("empty", "javascript", " ");
      return await server.run("empty");
    }
  });

  test("keeps digits that a JavaScript number would lose", async () => {
    const big = "123456789012345678901234567890";
    const asObject = await server.post(
      "/run-now",
      `{"language":"python","code":"return event['n'] + 1","input":{"n":${big}}}`,
    );
    const asString = await server.post("/run-now", `{"language":"python","code":"return event","input":"${big}"}`);
    const printed = await server.runNow({ language: "python", code: `print('[${big}]')` });

    assert.equal(await asObject.text(), '{"data":123456789012345678901234567891,"type":"number"}');
    assert.equal(await asString.text(), `{"data":${big},"type":"number"}`);
    assert.equal(printed.text, `{"data":[${big}],"type":"json"}`);
  });

  test("carries Unicode, control characters and lone surrogates through", async () => {
    const text = 'héllo 你好 🎉 \u0000\u0001\u2028 "quoted" \\ </script>';
    for (const language of ["javascript", "python"]) {
      assert.deepEqual((await server.runNow({ language, code: "return event", input: JSON.stringify(text) })).json, {
        data: text,
        type: "string",
      });
    }
    const lone = await server.runNow({ language: "javascript", code: "return '\\ud800'" });
    assert.equal(lone.status, 200);
    const binary = await server.runNow({
      language: "python",
      code: "import sys\nsys.stdout.buffer.write(bytes(range(256)))",
    });
    assert.equal(binary.status, 200);
    assert.match(binary.text, /"type":"text"/);
  });

  test("returns a megabyte, and JSON a thousand levels deep", async () => {
    const large = await server.runNow({ language: "python", code: "return 'x' * 1_000_000" });
    assert.equal((large.json as { data: string }).data.length, 1_000_000);
    const deep = await server.runNow({
      language: "javascript",
      code: "let v = 0; for (let i = 0; i < 1000; i++) v = [v]; return v",
    });
    assert.equal(deep.status, 200);
    assert.ok(deep.text.startsWith('{"data":[[[['));
  });

  test("refuses what is not JSON with the name of the thing", async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["javascript", "return 1n", /BigInt/],
      ["javascript", "return () => 1", /function/],
      ["javascript", "const a = {}; a.a = a; return a", /cycle/],
      ["javascript", "return {deep: [new Set([1])]}", /Set/],
      ["python", "return {1, 2}", /set/],
      ["python", "a = []\na.append(a)\nreturn a", /cycle|[Cc]ircular/],
      ["python", "return float('nan')", /JSON|nan/i],
    ];
    for (const [language, code, message] of cases) {
      const { status, text } = await server.runNow({ language, code });
      assert.equal(status, 500, `${code}: ${text}`);
      assert.match(text, /^failed to run: /);
      assert.match(text, message);
    }
  });

  test("shows the user's own lines and never our files", async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [
        "javascript",
        "const a = 1;\nfunction f() {\n  throw new TypeError('boom');\n}\nf()",
        /script\.js:3:9[^]*script\.js:5:1/,
      ],
      [
        "typescript",
        "interface A { x: number }\n\nconst f = (a: A): never => {\n  throw new Error('boom');\n};\nf({ x: 1 });",
        /script\.ts:4:9[^]*script\.ts:6:1/,
      ],
      ["python", "x = 1\ndef f():\n    raise ValueError('boom')\n\nf()", /line 5[^]*line 3/],
      ["python", "x = 1\nif True:\n    return 1 / 0", /line 3/],
      ["javascript", "const a = 1;\nconst b = = 2;", /script\.js:2/],
      ["typescript", "const a = 1;\nlet x: = 1", /script\.ts:2/],
      ["python", "x = 1\ny = = 2", /line 2/],
    ];
    for (const [language, code, frames] of cases) {
      const { status, text } = await server.runNow({ language, code });
      assert.equal(status, 500);
      assert.match(text, frames, text);
      assert.doesNotMatch(text, /shim|node:internal|\/rt\/|cloche/);
    }
  });

  test("lets scripts import the standard library", async () => {
    const cases: readonly (readonly [string, string, unknown])[] = [
      [
        "javascript",
        "import { basename as b } from 'node:path';\nimport os from 'os';\nreturn [b('/x/y'), typeof os.cpus]",
        ["y", "function"],
      ],
      [
        "javascript",
        "const { createHash } = require('crypto');\nreturn createHash('md5').update('').digest('hex')",
        "d41d8cd98f00b204e9800998ecf8427e",
      ],
      ["javascript", "const { join } = await import('node:path');\nreturn join('a', 'b')", "a/b"],
      [
        "typescript",
        "import type { Stats } from 'fs';\nimport { sep } from 'path';\nconst s: Stats | string = sep;\nreturn s",
        "/",
      ],
      [
        "python",
        "from math import *\nimport datetime, json, re, hashlib, decimal\nreturn [floor(2.5), hashlib.md5(b'').hexdigest()]",
        [2, "d41d8cd98f00b204e9800998ecf8427e"],
      ],
      [
        "python",
        "from __future__ import annotations\nimport asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 5\nreturn await f()",
        5,
      ],
    ];
    for (const [language, code, data] of cases) {
      const { json, text } = await server.runNow({ language, code });
      assert.deepEqual((json as { data?: unknown } | undefined)?.data, data, text);
    }
  });

  test("leaves nothing of one run to the next of the same script", async () => {
    const leaky: readonly (readonly [string, string])[] = [
      ["javascript", "const before = globalThis.seen ?? 0; globalThis.seen = before + 1; return before"],
      ["javascript", "const before = Array.prototype.seen ?? 0; Array.prototype.seen = 1; return before"],
      [
        "javascript",
        "const fs = require('fs'); const before = fs.readdirSync('/tmp').length; fs.writeFileSync('/tmp/x', ''); return before",
      ],
      ["javascript", "const before = Number(process.env.SEEN ?? 0); process.env.SEEN = '1'; return before"],
      ["python", "before = globals().get('seen', 0)\nseen = 1\nreturn before"],
      ["python", "import json\nbefore = getattr(json, 'seen', 0)\njson.seen = 1\nreturn before"],
      ["python", "import os\nbefore = len(os.listdir('/tmp'))\nopen('/tmp/x', 'w').close()\nreturn before"],
    ];
    for (const [index, [language, code]] of leaky.entries()) {
      await server.upload(`leaky/${index}`, language, code);
      for (let run = 0; run < 3; run++) {
        assert.deepEqual((await server.run(`leaky/${index}`)).json, { data: 0, type: "number" }, code);
      }
    }
  });

  test("answers bad requests in plain text, and in JSON who asks for it", async () => {
    const cases: readonly (readonly [path: string, body: unknown, status: number, text: RegExp])[] = [
      ["/upload", "{", 400, /^Invalid request payload$/],
      ["/upload", { path: "a", code: "", language: "python" }, 400, /^Invalid request payload$/],
      ["/upload", { path: "a", code: 1, language: "python" }, 400, /^Invalid request payload$/],
      ["/upload", { path: "a/../b", code: "1", language: "python" }, 400, /^Invalid path$/],
      ["/upload", { path: "/", code: "1", language: "python" }, 400, /^Invalid path$/],
      ["/upload", { path: "a", code: "1", language: "ruby" }, 400, /"ruby"[^]*javascript, typescript, [^]*python/],
      [
        "/upload",
        { path: "a", code: "x".repeat(262_145), language: "python" },
        413,
        /262145 bytes \(max 262144, setting CODE_MAX_SIZE\)/,
      ],
      ["/run-now", { code: "1", language: "ruby" }, 400, /^bad request: unsupported language/],
      ["/run-now", { code: " \n", language: "python" }, 400, /^bad request: code is required$/],
      ["/run-now", "[1]", 400, /^bad request: /],
      ["/run-now", { code: "1", language: "python", input: "{" }, 400, /^bad request: input/],
      ["/run-now", { code: "1", language: "python", stream: 1 }, 400, /^bad request: stream/],
      ["/run-now", { code: "x".repeat(262_145), language: "python" }, 413, /too large/],
      ["/run/none", {}, 404, /^bad request: script not found$/],
      ["/nope", {}, 404, /nope/],
    ];
    for (const [path, body, status, text] of cases) {
      const response = await server.post(path, body);
      assert.match(await response.text(), text);
      assert.equal(response.status, status, path);
      assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    }
    const json = await server.post(
      "/run-now",
      { code: "1", language: "ruby" },
      { headers: { accept: "application/json" } },
    );
    const { error } = (await json.json()) as { error: { code: string; message: string } };
    assert.equal(error.code, "UNSUPPORTED_LANGUAGE");
    assert.match(error.message, /"ruby".*installed: javascript, typescript,.* python/);
  });

  test("tells a wrong method by 405 and what is allowed", async () => {
    const response = await fetch(`${server.url}/run-now`);

    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "POST");
    assert.match(await response.text(), /POST/);
  });

  test("is not harmed by __proto__ in a body or an input", async () => {
    const body =
      '{"__proto__":{"stream":true,"language":"python"},"language":"javascript","code":"return [Object.keys(event), ({}).polluted]","input":{"__proto__":{"polluted":1}}}';
    const response = await server.post("/run-now", body);

    assert.deepEqual(await response.json(), { data: [["__proto__"], null], type: "json" });
    assert.deepEqual((await server.runNow({ language: "javascript", code: "return 1" })).json, {
      data: 1,
      type: "number",
    });
  });
});
