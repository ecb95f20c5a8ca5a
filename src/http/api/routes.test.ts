import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const SRC = join(import.meta.dirname, "../..");
/** What the first request for the management API brings, and an idle server must not hold. */
const LATE =
  /^(?:fastify|@fastify\/.*|fastify-.*|zod|prom-client|diff|yauzl|croner|bullmq|redis|standardwebhooks)(?:\/|$)/;

/** Imports that Node follows at start; `import type` and `import()` are none of them. */
function fixedImports(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from "([^"]+)";/gm)].map(([, target = ""]) => target);
}

test("a server that starts loads nothing of what only the management API needs", () => {
  const seen = new Set<string>();
  const late: string[] = [];
  const waiting = [join(SRC, "main.ts")];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const target of fixedImports(file)) {
      if (target.startsWith(".")) waiting.push(join(dirname(file), target));
      else if (LATE.test(target)) late.push(`${file}: ${target}`);
    }
  }

  assert.deepEqual(late, []);
  assert.ok(seen.has(join(SRC, "http/api/routes.ts")) && seen.size > 60, `${seen.size} files`);
  assert.deepEqual(
    [...seen].filter((file) => !existsSync(file)),
    [],
  );
  const api = fixedImports(join(SRC, "http/api/management-api.ts"));
  assert.ok(api.filter((target) => LATE.test(target)).length >= 3, "what is late is recognised");
});
