// The scripts that Redis runs, each in one step that nothing else comes between. They lie beside this file in lua/.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface Script {
  readonly text: string;
  /** SHA-1, as EVALSHA wants it. */
  readonly hash: string;
}

const PARTS = {
  meta: [
    "find-functions",
    "list-functions",
    "create-function",
    "update-function",
    "delete-function",
    "add-version",
    "find-version",
    "list-versions",
    "list-uploads",
    "find-blob",
    "activate-version",
    "delete-version",
    "put-alias",
    "delete-alias",
    "put-variables",
    "delete-variable",
    "add-key",
    "remove-key",
    "add-session",
    "list-sessions",
    "remove-session",
    "publish-change",
  ],
  kv: ["kv-get", "kv-change", "kv-list"],
  executions: [
    "append-executions",
    "find-execution",
    "list-executions",
    "interrupted",
    "metrics",
    "mark-deleted",
    "clear-function",
    "sweep-executions",
  ],
} as const;

export type MetaScript = (typeof PARTS.meta)[number];
export type KvScript = (typeof PARTS.kv)[number];
export type ExecutionScript = (typeof PARTS.executions)[number];
export type ScriptName = MetaScript | KvScript | ExecutionScript;

export const SCRIPTS: ReadonlyMap<ScriptName, Script> = new Map(
  Object.entries(PARTS).flatMap(([common, names]) => {
    const head = read(common);
    return names.map((name): [ScriptName, Script] => {
      const text = `${head}\n${read(name)}`;
      return [name, { text, hash: createHash("sha1").update(text).digest("hex") }];
    });
  }),
);

function read(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), "utf8");
}
