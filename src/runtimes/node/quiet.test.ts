import assert from "node:assert/strict";
import { test } from "node:test";
import { boundShim, runOnce } from "./worker-under-test.ts";

/** Code that leaves something, and so must not be followed by another run in the same worker. */
const LEAVES_SOMETHING: { readonly [what: string]: string } = {
  "a new global": "globalThis.x = 1",
  "an undeclared variable": "x = 1",
  "an undeclared variable of a loop": "for (x of 'ab') ;",
  "an undeclared variable of a loop behind a comment": "for /* const */ (x of 'ab') ;",
  "an undeclared variable behind a declared one": "const a = b = 1; return a",
  "an undeclared variable below a comment": "// let\n x = 1",
  "an undeclared variable that is assigned twice": "{ let x; } x = 8; x <<= 1",
  "a changed global": "globalThis.fetch = () => 1",
  "a changed global without globalThis": "parseInt = 1",
  "a deleted global": "delete globalThis.structuredClone",
  "a hidden global": "Object.defineProperty(globalThis, 'x', {value: 1})",
  "a method of a built-in prototype": "Array.prototype.last = function () {}",
  "a hidden method of a built-in prototype": "Object.defineProperty(Array.prototype, 'last', {value: 1})",
  "a changed method of a built-in prototype": "String.prototype.trim = () => ''",
  "a changed prototype through an instance": "[].__proto__.map = 1",
  "a polluted prototype by computed keys":
    "const o = {}; o[event.k] = o[event.k]; const p = o[event.k]; p.polluted = 1",
  "an overwritten method by computed keys": "const o = {}; o[event.k][event.m] = 1",
  "a changed namespace": "JSON.parse = () => 1",
  "a changed Math": "Math.random = () => 4",
  "an aliased Math": "const m = Math; m.random = () => 4",
  "a property of a built-in method": "const m = [].map; m.cache = {}",
  "a counter at a built-in method": "event.toString.calls++",
  "a property given to a built-in method": "Object.assign(event.toString, { cache: 1 })",
  "an item pushed to a built-in method": "try { ''.split('').push.call(event.toString, 1) } catch {}",
  "a hidden prototype": "Object.getPrototypeOf(async function () {}).x = 1",
  "a changed iterator": "Object.getPrototypeOf([].values()).next = null",
  "a frozen built-in": "Object.freeze(Array.prototype)",
  "Error.stackTraceLimit": "Error.stackTraceLimit = 0",
  "Error.prepareStackTrace": "Error.prepareStackTrace = () => ''",
  "a changed console": "console.log = () => {}",
  "an open console group": "console.group('g')",
  "a counter of console": "console.count('c')",
  "a changed environment": "process.env.X = '1'",
  "another working directory": "process.chdir('/tmp')",
  "another umask": "process.umask(0o77)",
  "a listener of process": "process.on('exit', () => {})",
  "a warm-up listener of process": "process.once('beforeExit', () => {}); process.once('x', () => {})",
  "another title": "process.title = 'x'",
  "a timer": "setTimeout(() => {}, 60_000)",
  "an interval": "setInterval(() => {}, 60_000)",
  "a timer after unref()": "setTimeout(() => {}, 60_000).unref()",
  "a timer after a hidden unref()": "setTimeout(() => {}, 60_000)['un' + 'ref']()",
  "AbortSignal.timeout": "AbortSignal.timeout(60_000)",
  "a server": "await new Promise((r) => require('net').createServer().listen(0, '127.0.0.1', r))",
  "a server after unref()": "await new Promise((r) => require('net').createServer().listen(0, '127.0.0.1', r).unref())",
  "a datagram socket": "require('dgram').createSocket('udp4').bind(0)",
  "a child process": "require('child_process').spawn('/bin/true')",
  "a thread": "new (require('worker_threads').Worker)('setInterval(() => {}, 1000)', {eval: true})",
  "a file watcher": "require('fs').watch('/')",
  "a BroadcastChannel": "new BroadcastChannel('x').onmessage = () => {}",
  "an open file": "require('fs').openSync('/')",
  "a file in /tmp": "require('fs').writeFileSync(process.env.TMPDIR + '/x', '')",
  "a changed module": "require('fs').readFile = 1",
  "a changed module, imported": "const fs = (await import('node:fs')).default; fs.readFile = 1",
  "a changed module, statically imported": "import fs from 'node:fs'; fs.readFile = 1",
  "a module imported by a computed name": "const m = 'f' + 's'; (await import(m)).default.readFile = 1",
  "EventEmitter.defaultMaxListeners": "require('events').defaultMaxListeners = 99",
  "the module vm": "require('vm')",
  "the module async_hooks, imported":
    "import {AsyncLocalStorage} from 'async_hooks'; new AsyncLocalStorage().enterWith(1)",
  "process.getBuiltinModule": "process.getBuiltinModule('fs')",
  "a job of the thread pool that prints later": "require('zlib').gzip('x', () => { globalThis.late = 1 }); return 1",
};

for (const [what, code] of Object.entries(LEAVES_SOMETHING)) {
  test(`a worker retires after a run that left ${what}`, { concurrency: 2 }, async (t) => {
    const { end, shim } = await runOnce(t, code, { input: { k: "__proto__", m: "toString" } });

    assert.equal(end.t, "result", end.body);
    assert.notEqual(await shim.afterwards(), undefined);
  });
}

/** Code that leaves nothing must keep its worker, or every one of its runs would be a cold start. */
const LEAVES_NOTHING: { readonly [what: string]: string } = {
  computes:
    "const data = event.items.filter((x) => x > 50); return {data, n: Math.max(...data), at: new Date(0).toISOString()}",
  prints: "console.log('a', {b: 1}); console.error('e')",
  "waits for a timer": "await new Promise((r) => setTimeout(r, 2))",
  "clears its timer": "clearTimeout(setTimeout(() => {}, 60_000))",
  throws: "throw new Error('x')",
  "has classes and generators": "class A { x = 1; *g() { yield this.x } }; return [...new A().g()]",
  "sets result": "globalThis.result = 1",
  "requires modules":
    "const {join} = require('path'); return [join('a', 'b'), require('node:crypto').randomUUID().length]",
  "imports modules": "import {createHash} from 'node:crypto'; return createHash('sha256').update('x').digest('hex')",
  "writes and removes a file":
    "const fs = require('fs'), f = process.env.TMPDIR + '/x'; fs.writeFileSync(f, '1'); fs.unlinkSync(f)",
  "reads asynchronously":
    "const {readFile} = require('fs/promises'); return (await readFile('/proc/self/stat')).length > 0",
  zips: "return (await require('util').promisify(require('zlib').gzip)('x')).length",
  "uses fetch": "try { await fetch('http://127.0.0.1:1/') } catch (e) { return e.message }",
  "uses web classes":
    "return new URL('http://a/b').pathname + new TextEncoder().encode('x').length + new Headers([['a', 'b']]).get('a')",
  "uses process": "process.stdout.write('x'); return process.version + process.env.HOME",
  "mentions prototype": "return Object.prototype.hasOwnProperty.call({a: 1}, 'a')",
};

for (const [what, code] of Object.entries(LEAVES_NOTHING)) {
  test(`a worker stays after a run that ${what}`, { concurrency: 2 }, async (t) => {
    const shim = await boundShim(t, code);

    for (let count = 0; count < 3; count += 1) {
      await shim.run({ items: [1, 60] });
      assert.equal(await shim.afterwards(), undefined);
    }
  });
}
