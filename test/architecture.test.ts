// Who may import whom, and which folder may touch what. ARCHITECTURE.md shows the same tables.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const SRC = join(import.meta.dirname, "..", "src");

/** Folder -> what it may import besides itself. A file grants that file alone: the port, not its adapters. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  sandbox: ["core"],
  runtimes: ["core"],
  store: ["core"],
  // Both keep SQLite files, in the same way.
  queue: ["core", "store/sqlite"],
  pool: ["core", "sandbox/sandbox.ts"],
  services: [
    "core",
    "pool/pool.ts",
    "sandbox/sandbox.ts",
    "runtimes/runtime.ts",
    "store/store.ts",
    "store/changes.ts",
    "queue/queue.ts",
  ],
  http: ["core", "services"],
  config: ["core", "sandbox/sandbox.ts"],
};

/** Adapters of one port that must not know each other. */
const STRANGERS: readonly (readonly [string, string])[] = [
  ["runtimes/node", "runtimes/python"],
  ["runtimes/node", "runtimes/lua"],
  ["runtimes/python", "runtimes/lua"],
  ["runtimes/native", "runtimes/node"],
  ["runtimes/native", "runtimes/python"],
];

/** Capability -> the only places that may use it. */
const HOMES: readonly { readonly what: string; readonly pattern: RegExp; readonly homes: readonly string[] }[] = [
  { what: "processes", pattern: /["']node:child_process["']/, homes: ["sandbox"] },
  { what: "HTTP", pattern: /["']node:https?["']/, homes: ["http", "services/outbound"] },
  { what: "SQLite", pattern: /["']node:sqlite["']/, homes: ["store/sqlite", "queue/sqlite"] },
  { what: "the environment", pattern: /\bprocess\.env\b/, homes: ["config/environment.ts"] },
  {
    what: "time",
    pattern: /\bDate\.now\(|\bperformance\.now\(|(?<!socket\.)\bset(?:Timeout|Interval)\(/,
    homes: ["core/clock.ts"],
  },
  {
    what: "adapters",
    pattern: /nursery-sandbox\.ts|(?:sqlite|bullmq)-queue\.ts|sqlite-store\.ts|runtimes\/\w+\/runtime\.ts/,
    homes: ["app.ts"],
  },
];

interface Source {
  readonly path: string;
  readonly text: string;
}

function sources(): Source[] {
  return readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter(
      (path) =>
        path.endsWith(".ts") && !/\.(test|contract|fixture)\.ts$|-helper\.ts$|-under-test\.ts$|\/fixtures\//.test(path),
    )
    .map((path) => ({ path, text: readFileSync(join(SRC, path), "utf8") }));
}

function importsOf({ path, text }: Source): string[] {
  return [...text.matchAll(/\bfrom\s+["'](\.{1,2}\/[^"']+)["']|\bimport\(["'](\.{1,2}\/[^"']+)["']\)/g)].map(
    ([, fixed, dynamic]) => relative(SRC, join(SRC, dirname(path), fixed ?? dynamic ?? "")),
  );
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

test("each folder imports only what the layer table allows", () => {
  const violations = sources().flatMap((source) => {
    const folder = source.path.split("/")[0] ?? "";
    const allowed = MAY_IMPORT[folder];
    if (allowed === undefined) return []; // files at the root of src/ wire everything together
    return importsOf(source)
      .filter((target) => ![folder, ...allowed].some((place) => isWithin(target, place)))
      .map((target) => `${source.path} -> ${target}`);
  });
  assert.deepEqual(violations, []);
});

test("every folder of src/ has a line in the layer table", () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map((entry) => entry.name).toSorted(), Object.keys(MAY_IMPORT).toSorted());
});

test("adapters of one port do not import each other", () => {
  const violations = sources().flatMap((source) =>
    importsOf(source)
      .filter((target) =>
        STRANGERS.some(
          ([one, other]) =>
            (isWithin(source.path, one) && isWithin(target, other)) ||
            (isWithin(source.path, other) && isWithin(target, one)),
        ),
      )
      .map((target) => `${source.path} -> ${target}`),
  );
  assert.deepEqual(violations, []);
});

test("each capability is used only in its home", () => {
  const violations = sources().flatMap(({ path, text }) =>
    HOMES.filter(({ pattern, homes }) => pattern.test(text) && !homes.some((home) => isWithin(path, home))).map(
      ({ what }) => `${path} uses ${what}`,
    ),
  );
  assert.deepEqual(violations, []);
});
