// What attacks are made of: code that is sent to a server, and what it tells when it comes back.
import assert from "node:assert/strict";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { SYSCALL_NUMBERS } from "../../src/sandbox/seccomp/syscalls.ts";
import type { Answer, RunNow } from "../server-under-test.ts";

/** Whatever takes code over HTTP. */
export interface Target {
  runNow(request: RunNow): Promise<Answer>;
}

/** What the code returns. Fails where the run does. */
export async function python(target: Target, code: string, input?: unknown): Promise<unknown> {
  return await returned(target, { language: "python", code: dedent(code), input });
}

/** What the code returns. Fails where the run does. */
export async function javascript(target: Target, code: string, input?: unknown): Promise<unknown> {
  return await returned(target, { language: "javascript", code: dedent(code), input });
}

async function returned(target: Target, request: RunNow): Promise<unknown> {
  const answer = await target.runNow(request);
  assert.equal(answer.status, 200, answer.text);
  return (answer.json as { data: unknown }).data;
}

/** Without the indentation of its first line, so that Python can stand in a test as in a file. */
export function dedent(code: string): string {
  const text = code.replace(/^\n/, "");
  const indentation = /^ */.exec(text)?.[0] ?? "";
  return text.replaceAll(`\n${indentation}`, "\n").slice(indentation.length);
}

/** A system call by its name. Arguments are numbers; a text stands for its address. */
export type Call = readonly [name: string, ...args: readonly (number | string)[]];

const NUMBERS = SYSCALL_NUMBERS[process.arch === "arm64" ? "arm64" : "x64"]();
const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** Makes each call in one box; resolves to `name: error`, or `name: ok` where the kernel let it through. */
export async function callKernel(target: Target, calls: readonly Call[]): Promise<string[]> {
  const known = calls.filter(([name]) => NUMBERS.has(name)); // arm64 lacks the old ones
  const errnos = (await python(
    target,
    `
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    def errno_of(number, *arguments):
        values = [ctypes.c_char_p(a.encode()) if isinstance(a, str) else ctypes.c_ulong(a) for a in arguments]
        ctypes.set_errno(0)
        return ctypes.get_errno() if libc.syscall(ctypes.c_long(number), *values) == -1 else 0
    return [errno_of(*call) for call in input]
    `,
    known.map(([name, ...args]) => [NUMBERS.get(name), ...args]),
  )) as number[];
  return known.map(([name], index) => `${name}: ${nameOf(errnos[index] ?? -1)}`);
}

/** What `callKernel` tells when every call of `calls` gets the same answer. */
export function all(calls: readonly Call[], answer: string): string[] {
  return calls.flatMap(([name]) => (NUMBERS.has(name) ? [`${name}: ${answer}`] : []));
}

function nameOf(errno: number): string {
  return errno === 0 ? "ok" : (ERRNO_NAMES.get(errno) ?? String(errno));
}

/** The error of opening each file in a box for reading or writing; `empty` or `ok` where that works. */
export async function openFiles(target: Target, paths: readonly string[], mode: "r" | "w"): Promise<string[]> {
  const code = `
    import errno
    def attempt(path):
        try:
            with open(path, 'rb' if input['mode'] == 'r' else 'r+b', buffering=0) as file:
                return 'ok' if input['mode'] == 'w' or file.read(1) else 'empty'
        except OSError as error:
            return errno.errorcode[error.errno]
    return [attempt(path) for path in input['paths']]
    `;
  return (await python(target, code, { paths, mode })) as string[];
}

/** Waits until something is so; fails when it never is. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const giveUpAtMs = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpAtMs) assert.fail(`never became so: ${what}`);
    await delay(2);
  }
}
