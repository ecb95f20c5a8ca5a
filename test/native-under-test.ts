// The native API as its clients use it, and programs to upload.
import assert from "node:assert/strict";
import { type Dirent, existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import wabt from "wabt";
import type { ServerUnderTest } from "./server-under-test.ts";

export interface NativeFunction {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly binPath: string;
  readonly wasmPath: string;
  readonly description: string;
  readonly created_at: string;
}

export interface ProgramResult {
  readonly Stdout: string;
  readonly Stderr: string;
  readonly ExitCode: number;
  readonly DurationMs: number;
}

export interface UploadFields {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  readonly mode?: string;
}

/** Linux programs that every machine has: one copies stdin to stdout, and one does what its stdin says. */
export const CAT = readFileSync("/bin/cat");
export const SHELL = readFileSync("/bin/sh");

export function send(
  server: ServerUnderTest,
  file: string | Buffer,
  fileName: string,
  fields: UploadFields = {},
  init: RequestInit = {},
): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  form.append("file", new Blob([typeof file === "string" ? file : new Uint8Array(file)]), fileName);
  return fetch(`${server.url}/functions`, { method: "POST", body: form, ...init });
}

/** Fails where it is refused. */
export async function uploaded(...given: Parameters<typeof send>): Promise<NativeFunction> {
  const response = await send(...given);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as NativeFunction;
}

/** `415 the module is …` */
export async function refusal(...given: Parameters<typeof send>): Promise<string> {
  return await faultOf(await send(...given));
}

export async function faultOf(response: Response): Promise<string> {
  const body = (await response.json()) as { readonly error?: unknown };
  assert.deepEqual(Object.keys(body), ["error"], JSON.stringify(body));
  assert.equal(typeof body.error, "string");
  return `${response.status} ${String(body.error)}`;
}

export async function listed(server: ServerUnderTest): Promise<NativeFunction[]> {
  return (await (await fetch(`${server.url}/functions`)).json()) as NativeFunction[];
}

/** Fails where the program was not run. */
export async function called(
  server: ServerUnderTest,
  id: string,
  input = "",
  fields: { readonly mode?: string } = {},
): Promise<ProgramResult> {
  const body = new URLSearchParams({ input, ...fields });
  const response = await fetch(`${server.url}/invoke/${id}`, { method: "POST", body });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const result = JSON.parse(text) as ProgramResult;
  assert.deepEqual(Object.keys(result), ["Stdout", "Stderr", "ExitCode", "DurationMs"]);
  assert.ok(Number.isInteger(result.DurationMs) && result.DurationMs >= 0, text);
  return result;
}

export async function remove(server: ServerUnderTest, id: string): Promise<Response> {
  return await fetch(`${server.url}/functions/${id}`, { method: "DELETE" });
}

/** Every file below the folder of functions, by path. */
export function filesOnDisk(server: { readonly dataDir: string }): string[] {
  const root = join(server.dataDir, "functions");
  if (!existsSync(root)) return [];
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const path = (entry: Dirent): string => relative(root, join(entry.parentPath, entry.name));
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(path)
    .toSorted();
}

/** Every entry in the folder of functions itself: what a failed upload leaves behind would be there. */
export function namesOnDisk(server: { readonly dataDir: string }): string[] {
  const root = join(server.dataDir, "functions");
  return existsSync(root) ? readdirSync(root).toSorted() : [];
}

const tools = await wabt();

export function wasmOf(text: string): Buffer {
  const parsed = tools.parseWat("test.wat", text);
  try {
    return Buffer.from(parsed.toBinary({}).buffer);
  } finally {
    parsed.destroy();
  }
}

/** Copies stdin to stdout. */
export const WASM_CAT = wasmOf(`
  (module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "_start")
      (loop $more
        (i32.store (i32.const 0) (i32.const 64))
        (i32.store (i32.const 4) (i32.const 65536))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (if (i32.load (i32.const 8))
          (then
            (i32.store (i32.const 4) (i32.load (i32.const 8)))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (br $more))))))
`);

/** Writes a word to stderr and ends with the exit code 3. */
export const WASM_EXIT_3 = wasmOf(`
  (module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "oh\\n")
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 64))
      (i32.store (i32.const 4) (i32.const 3))
      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
      (call $exit (i32.const 3))))
`);

/** Divides by zero. */
export const WASM_TRAP = wasmOf(
  '(module (memory (export "memory") 1) (func (export "_start") (drop (i32.div_u (i32.const 1) (i32.load (i32.const 0))))))',
);

/** Never ends. */
export const WASM_LOOP = wasmOf(
  '(module (memory (export "memory") 1) (func (export "_start") (loop $more (br $more))))',
);
