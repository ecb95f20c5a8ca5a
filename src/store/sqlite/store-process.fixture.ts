import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";

export type StoreProcess = ChildProcessByStdio<null, Readable, null>;

/** Another process that opens `file` as `store` and then runs `code`. */
export function runWithStore(file: string, code: string): StoreProcess {
  const script = `
    import { openSqliteStore } from ${JSON.stringify(new URL("sqlite-store.ts", import.meta.url).href)};
    const store = await openSqliteStore({ file: ${JSON.stringify(file)}, keepExecutions: 10 });
    ${code}`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
}

/** The first text that the process prints. */
export async function firstOutput(child: StoreProcess): Promise<string> {
  let output: string | undefined;
  for await (const chunk of child.stdout) {
    output = String(chunk);
    break;
  }
  assert.ok(output !== undefined, "the process ended without a word");
  return output;
}
