import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Source } from "../../core/program.ts";
import { prepare } from "./prepare.ts";
import { TestServer } from "./server-under-test.ts";
import { boundShim } from "./worker-under-test.ts";

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly line?: number;
}

const failure = (frame: { readonly body: string }): Failure => JSON.parse(frame.body);

async function serve(t: TestContext, source: string | Source, language = "javascript"): Promise<TestServer> {
  return new TestServer(await boundShim(t, source, language));
}

/** A source of files, the first of which is its entry. */
function folder(files: { readonly [path: string]: string }): Source {
  const [[entry, text] = assert.fail()] = Object.entries(files);
  return { text, entry, files };
}

// --- check ---

test("check tells the style and runs nothing", async (t) => {
  const effect = "console.log('ran'); throw new Error('ran');";
  const cases: [string, string][] = [
    [`${effect} export default { fetch() {} }`, "web"],
    [`${effect} export default (request) => new Response()`, "web"],
    [`${effect} export default class { }; export const config = 1`, "web"],
    [`${effect} const app = {}; export { app as default }`, "web"],
    [`${effect} export const handler = 1`, "lambda"],
    [`${effect} export async function handler() {} export function main() {}`, "lambda"],
    [`${effect} const handler = () => 1; export { handler }; export default handler`, "lambda"],
    [`${effect} export { a as handler }; const a = 1`, "lambda"],
    [`${effect} export default { fetch() {} }; export const handler = 1`, "web"],
    [`${effect} export function main() {}`, "main"],
    [`${effect} exports.handler = 1`, "lambda"],
    [`${effect} module.exports = { handler: 1, other: 2 }`, "lambda"],
    [`${effect} module.exports.handler = () => 1`, "lambda"],
    [`${effect} Object.defineProperty(exports, "handler", { get() {} })`, "lambda"],
    [`0 && (module.exports = { handler }); module.exports = convert({}); ${effect}`, "lambda"],
    [`${effect} module.exports = class {}`, "web"],
    [`${effect} exports.main = 1`, "main"],
    [`${effect} function main(params) {}`, "main"],
    [`${effect} await 1; async function main(params) {}`, "main"],
    [`${effect} return 1`, "script"],
    [`${effect} import { sep } from "path"; return sep`, "script"],
    [`${effect} if (typeof module !== "undefined") module.exports = { helper: 1 }`, "script"],
    [`${effect} // export default 1`, "script"],
    ["", "script"],
  ];
  for (const [code, style] of cases) {
    const server = await serve(t, code);
    const frame = await server.check();
    assert.deepEqual([frame.t, frame.body], ["result", JSON.stringify({ style })], code);
    await server.shim.close();
  }
});

test("check fails where there is no handler, and names what was exported and what is looked for", async (t) => {
  const looked =
    'Looked for: a default export that is a function or has "fetch(request, env, ctx)", "handler(event, context)", "main(params)"';
  const cases: [string, string][] = [
    ["export const a = 1, b = 2", "a, b"],
    ["export default { handler() {} }", "default {handler}"],
    ["exports.helper = () => 1", "helper"],
    ["export * from './other.js'", "*"],
  ];
  for (const [text, exported] of cases) {
    const server = await serve(t, { text, files: { "other.js": "export const x = 1" } });
    for (const frame of [await server.check(), (await server.ask()).end]) {
      assert.equal(frame.t, "error", text);
      assert.equal(failure(frame).message, `script.js exports ${exported}, but no handler. ${looked}`);
    }
    await server.shim.close();
  }
});

test("check and runs show a mistake with its line and the code", async (t) => {
  const bad = "const a = 1;\n  let x = ;\n";
  const cases: [string, string][] = [
    [`${bad}return 1`, "javascript"],
    [`${bad}export const handler = 1`, "javascript"],
    [`${bad}export default 1`, "javascript"],
  ];
  for (const [code, language] of cases) {
    const server = await serve(t, code, language);
    for (const frame of [await server.check(), (await server.value()).end]) {
      assert.equal(frame.t, "error", code);
      const { name, message, stack, line } = failure(frame);
      assert.deepEqual([name, message, line], ["SyntaxError", "Unexpected token ';' (script.js:2:11)", 2], code);
      assert.equal(stack, "SyntaxError: Unexpected token ';'\n    at script.js:2:11\n\n  let x = ;\n          ^");
    }
    await server.shim.close();
  }
});

test("a mistake in CommonJS that only V8 sees has its line", async (t) => {
  const server = await serve(t, "exports.handler = 1;\n\n'use strict'; let b; let b;");

  for (const frame of [await server.check(), (await server.value()).end]) {
    assert.deepEqual([failure(frame).name, failure(frame).line], ["SyntaxError", 3]);
  }
});

test("a mistake in TypeScript has its line, in whichever file", async (t) => {
  const one = await serve(t, "const a: = 1;\nexport const handler = 1", "typescript");
  assert.deepEqual(
    [failure(await one.check()).message, failure(await one.check()).line],
    ['Unexpected "=" (script.ts:1:10)', 1],
  );
  const two = await serve(
    t,
    folder({ "a.ts": "import './lib/b.ts'; export const handler = 1", "lib/b.ts": "let x: = 1" }),
    "typescript",
  );
  assert.equal(failure(await two.check()).message, 'Unexpected "=" (lib/b.ts:1:8)');
});

test("check finds a file that is missing, a name that is not exported, and a package", async (t) => {
  const cases: [string, RegExp][] = [
    [
      "import './missing'; export const handler = 1",
      /^cannot find "\.\/missing", which a\.js imports; the program has the files b\.js, a\.js$/,
    ],
    [
      "import { nope } from './b.js'; export const handler = 1",
      /'\.\/b\.js' does not provide an export named 'nope' \(a\.js:1:10\)/,
    ],
    [
      "import _ from 'lodash'; export const handler = 1",
      /^cannot find the package "lodash", which a\.js imports\. .*packages must be brought along as files of the program/,
    ],
  ];
  for (const [text, expected] of cases) {
    const server = await serve(t, folder({ "a.js": text, "b.js": "export const yes = 1" }));
    for (const frame of [await server.check(), (await server.value()).end]) {
      assert.equal(frame.t, "error", text);
      assert.match(failure(frame).message, expected);
    }
    await server.shim.close();
  }
});

test("after a check the same worker runs the program", async (t) => {
  const server = await serve(t, "console.log('ran'); export const handler = () => 5");

  assert.equal((await server.check()).body, '{"style":"lambda"}');
  const { body, logs } = await server.value();

  assert.deepEqual([body, logs.map((log) => log.body)], ["5", ["ran\n"]]);
});

// --- files ---

test("a TypeScript module of several files works, and its errors show their places", async (t) => {
  const source = folder({
    "src/index.ts": `import type { Shape } from "./types";
import { area, Kind, type Unused } from "./lib/area.js";
import settings from "../settings.json";
import words from "../words.txt";
import legacy from "./legacy.cjs";
import { sep } from "node:path";
import { kv } from "cloche";

interface Event { shape: Shape; fail?: boolean }
export const handler = async (event: Event): Promise<unknown> => {
  if (event.fail) return area(null!);
  const { later } = await import("./lib/later");
  return [area(event.shape), Kind.Square, settings.unit, words, legacy.old, sep, later, typeof kv.get, import.meta.url];
};`,
    "src/types.ts": "export interface Shape { side: number }",
    "src/lib/area.ts": `import type { Shape } from "../types.ts";

export interface Unused {}
export enum Kind { Square = "square" }

export function area(shape: Shape): number {
  return shape.side ** 2;
}`,
    "src/lib/later.ts": "export const later: string = 'late';",
    "src/legacy.cjs": "exports.old = require('../settings.json').unit + __filename",
    "settings.json": '{"unit":"m"}',
    "words.txt": "a\nb",
  });
  const server = await serve(t, source, "typescript");

  assert.equal((await server.check()).body, '{"style":"lambda"}');
  assert.deepEqual(JSON.parse((await server.value({ shape: { side: 3 } })).body), [
    ...[9, "square", "m", "a\nb", "m/src/legacy.cjs", "/", "late", "function", "file:///src/index.ts"],
  ]);
  const { stack, line } = failure((await server.value({ fail: true })).end);
  assert.match(stack, /\n    at area \(src\/lib\/area\.ts:7:16\)\n    at .*handler \(src\/index\.ts:11:26\)$/);
  assert.equal(line, 11);
});

test("CommonJS files require each other, with and without endings, and folders", async (t) => {
  const server = await serve(
    t,
    folder({
      "index.js":
        "const lib = require('./lib'); const { two } = require('./two.js'); exports.handler = () => [lib.one, two, require('./data').x]",
      "lib/index.js": "exports.one = 1",
      "two.js": "module.exports = { two: 2 }",
      "data.json": '{"x":3}',
    }),
  );

  assert.equal((await server.value()).body, "[1,2,3]");
});

test("packages that were brought along in node_modules are found", async (t) => {
  const server = await serve(
    t,
    folder({
      "index.mjs":
        "import a, { sub } from 'a'; import b from '@s/b/inner'; import { c } from 'c'; export const handler = () => [a, sub, b, c]",
      "node_modules/a/package.json": '{"exports":{".":{"require":"./no.js","import":"./esm.js"}}}',
      "node_modules/a/esm.js": "import { c } from 'c'; export default 'a'; export const sub = c",
      "node_modules/@s/b/package.json": '{"name":"@s/b"}',
      "node_modules/@s/b/inner.js": "module.exports = 'b'",
      "node_modules/c/package.json": '{"main":"lib/main"}',
      "node_modules/c/lib/main.js": "exports.c = 'c'",
    }),
  );

  const { body } = await server.value();
  assert.equal(body, '["a","c","b","c"]');
});

test("a bare script may load its files, and gets a fresh worker for each run", async (t) => {
  const files = { "lib.js": "export let count = 0; export const next = () => ++count", "old.cjs": "exports.x = 7" };
  for (const [text, expected] of [
    ["import { next } from './lib.js'; return next()", "1"],
    ["const { next } = await import('./lib'); return next()", "1"],
    ["return require('./old').x", "7"],
  ] as const) {
    const server = await serve(t, { text, entry: "main.js", files: { ...files, "main.js": text } });
    assert.equal((await server.value()).body, expected, text);
    assert.match((await server.shim.afterwards()) ?? "", /loaded a file/);
    await server.shim.close();
  }
});

test("a script in TypeScript with types to export and a return is still a script", async (t) => {
  const server = await serve(t, "export interface A { a: number }\nreturn (event as A).a", "typescript");

  assert.equal((await server.value({ a: 4 })).body, "4");
});

test("variables are there before the code is compiled", async (t) => {
  for (const code of ["return process.env.X", "const { X } = process.env; export const handler = () => X"]) {
    const server = new TestServer(await boundShim(t, code, "javascript", { env: { X: "y" } }));
    assert.equal((await server.value()).body, '"y"');
    assert.equal(await server.shim.afterwards(), undefined);
    await server.shim.close();
  }
});

test("a program says what the shim needs to know of it", async () => {
  const { code, options, alwaysReturns } = await prepare(
    "typescript",
    folder({ "a.ts": "export const handler: string = ''", "b.ts": "export {}", "c.json": "{}" }),
  );

  assert.match(String(code), /export const handler = ""/);
  assert.deepEqual(
    { ...options, positions: undefined, filePositions: undefined },
    {
      file: "a.ts",
      files: { "b.ts": "export {};\n", "c.json": "{}" },
      formats: { "b.ts": "module" },
      filePositions: undefined,
      positions: undefined,
      mistakes: {},
      format: "module",
      style: "lambda",
    },
  );
  assert.equal(alwaysReturns, true);
});
