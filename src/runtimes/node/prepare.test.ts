import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { rewriteImports } from "./imports.ts";
import { prepare } from "./prepare.ts";
import { alwaysReturns } from "./returns.ts";
import { findNodeRuntime } from "./runtime.ts";
import { runOnce } from "./worker-under-test.ts";

test("every form of a static import becomes a declaration at its place", () => {
  const cases: [string, string][] = [
    ['import "m"', 'await import("m");'],
    ["import 'm';", 'await import("m");;'],
    ['import a from "m"', 'const {default: a} = await import("m");'],
    ['import {a, b as c} from "m"', 'const {a, b: c} = await import("m");'],
    ['import {default as a} from "m"', 'const {default: a} = await import("m");'],
    ['import {"x-y" as a} from "m"', 'const {"x-y": a} = await import("m");'],
    ['import * as a from "m"', 'const a = await import("m");'],
    ['import a, {b} from "m"', 'const {default: a, b} = await import("m");'],
    ['import a, * as b from "m"', 'const b = await import("m"), {default: a} = b;'],
    ['import {} from "m"', 'const {} = await import("m");'],
    ['import{a}from"m"', 'const {a} = await import("m");'],
    ['import a from "m" with {type: "json"}', 'const {default: a} = await import("m", {with: {"type":"json"}});'],
    ['import {\n  a, // one\n  b /* two */ as c,\n} from "m"\n[1]', 'const {a, b: c} = await import("m");\n\n\n\n[1]'],
    ['const s = `import a from "m"`; // import b from "n"', 'const s = `import a from "m"`; // import b from "n"'],
    ['return import("m")', 'return import("m")'],
    ['import type {A} from "m"; x', "; x"],
    ['import {type A, type, type B as C, d} from "m"', 'const {type, d} = await import("m");'],
    ["let x = ;", "let x = ;"],
  ];
  for (const [source, expected] of cases) assert.equal(rewriteImports(source), expected);
});

test("a program surely returns only if every way out returns a value", () => {
  const yes = [
    "return 1",
    "if (a) { return 1 } else return 2",
    "try { return 1 } catch { return 2 }",
    "await x; { return f() }",
    "if (a) return 1; throw b",
    "function f() { return }; return 1",
  ];
  const no = [
    "",
    "f()",
    "return",
    "return undefined",
    "return console.log(1)",
    "if (a) return; return 1",
    "if (a) return 1",
    "try { return 1 } catch {}",
    "return 1 +",
    "(".repeat(100_000),
  ];
  for (const code of yes) assert.equal(alwaysReturns(code), true, code);
  for (const code of no) assert.equal(alwaysReturns(code), false, code);
});

test("TypeScript may mix return, await, imports, enums, namespaces, decorators and parameter properties", async (t) => {
  const code = `import type {Stats} from "fs";
import {sep, type ParsedPath} from "node:path";
namespace N { export const a: number = 1 }
enum E {A, B}
const enum F {Z = 5}
const seen: string[] = [];
function mark(target: object, name?: string): any { seen.push(name ?? "class") }
@mark class P { constructor(private x: number) {} @mark get v(): number { return this.x } }
if (event.early) return
if (event.value) return { // a comment
  early: true };
await 1;
throw_: for (;;) break throw_;
return [N.a, E.B, F.Z, sep, new P(4).v, seen, <number>1 satisfies number];`;

  const program = await prepare("typescript", { text: code });
  assert.equal(program.options["error"], undefined);
  for (const [input, expected] of [
    [{}, '[1,1,5,"/",4,["v","class"],1]'],
    [{ early: true }, ""],
    [{ value: true }, '{"early":true}'],
  ] as const) {
    const { end, shim } = await runOnce(t, code, { input, language: "typescript" });
    assert.equal(end.body, expected);
    await shim.close();
  }
});

test("a throw of the user stays a throw beside a return", async (t) => {
  const { end } = await runOnce(t, "await 1;\nif (event.a) return 1; throw new Error('mine');", {
    language: "typescript",
  });

  assert.match(JSON.parse(end.body).stack, /mine\n    at script\.ts:2:30$/);
});

test("a mistake in TypeScript is reported in the user's lines", async () => {
  const { options, code } = await prepare("typescript", { text: "await 1;\nreturn 1;\nconst ü = 'ü', x: = 1" });

  assert.equal(code, "");
  assert.match(JSON.stringify(options["error"]), /SyntaxError.*script\.ts:3:19/);
});

test("JavaScript that does not parse is still a program", async () => {
  const program = await prepare("javascript", { text: "#!/usr/bin/env node\nlet x = ;" });

  assert.deepEqual(program.options, { file: "script.js" });
  assert.equal(program.code, "///usr/bin/env node\nlet x = ;");
  assert.equal(program.alwaysReturns, false);
});

for (const limitMib of [48, 64, 128, 256, 1024]) {
  test(`the whole heap, young objects included, stays below a limit of ${limitMib} MiB`, () => {
    const search = findNodeRuntime({ memoryBytes: limitMib * 1_048_576, cpus: 1 });
    assert(search.found);
    const flags = search.runtime.image.command.filter((word) => word.startsWith("--"));
    const print = "process.stdout.write(String(v8.getHeapStatistics().heap_size_limit / 1024 ** 2))";
    const heapMib = Number(execFileSync(process.execPath, [...flags, "-e", print], { encoding: "utf8", env: {} }));

    assert.ok(heapMib >= limitMib / 2 && heapMib <= limitMib - 16, `${heapMib} MiB`);
  });
}

test("the image starts the shim with a heap below the limit", () => {
  const search = findNodeRuntime({ memoryBytes: 128 * 1_048_576, cpus: 0.5 });

  assert(search.found);
  const { command, copies, binds } = search.runtime.image;
  assert.ok(command.includes("--max-old-space-size=80") && command.includes("--v8-pool-size=1"));
  assert.ok(copies.some(({ to }) => to === command.at(-1)));
  assert.deepEqual(binds, [{ from: process.execPath, to: "/rt/node" }]);
});
