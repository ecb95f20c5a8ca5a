// Runs every test file, or those named on the command line, and closes with one plain line: N passed, N failed.
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { watchLeftovers } from "./test-leftovers.mjs";

// As `npm start` has it: else each of the files would translate all of its TypeScript anew.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "../node_modules/.cache/cloche");

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync(["src/**/*.test.ts", "test/**/*.test.ts"]).sort();
/** These hold attacks against a clock: beside other tests they would measure those. */
const ALONE = /^test\/security\/(?:containment|neighbours)\./;
/** A test that fails before it stops what it started would keep its file from ending. */
const FILE_LIMIT_MS = 300_000;
const LIMIT_MS = 2_700_000; // four times what it takes on two cores: whatever hangs then, it is named
const counts = { passed: 0, failed: 0, skipped: 0 };
const open = new Set(files);
const limit = setTimeout(() => {
  counts.failed += open.size;
  process.stdout.write(`\nnot over after ${LIMIT_MS / 60_000} minutes:\n${[...open].join("\n")}\n`);
  end();
  process.stdout.write("", () => process.exit()); // there is still something to wait for, or we would not be here
}, LIMIT_MS);
const stopWatching = watchLeftovers((command) => {
  counts.failed++;
  process.stdout.write(`\na test has left a process behind: ${command}\n`);
});

await runAll(
  files.filter((file) => !ALONE.test(file)),
  availableParallelism() + 1, // many of them wait most of the time
);
await runAll(
  files.filter((file) => ALONE.test(file)),
  1,
);
end();

async function runAll(some, concurrency) {
  if (some.length === 0) return;
  const stream = run({ files: some, concurrency, timeout: FILE_LIMIT_MS });
  stream.on("test:pass", (event) => count(event, event.skip === undefined ? "passed" : "skipped"));
  stream.on("test:fail", (event) => count(event, "failed"));
  stream.on("test:complete", ({ name }) => open.delete(name));
  for await (const text of stream.compose(spec)) process.stdout.write(text);
}

/** A file or suite is no test of its own, unless it failed where no test of it did. */
function count({ details, name }, kind) {
  const isFile = files.includes(name);
  if (details.type === "suite" || (isFile && kind !== "failed")) return;
  counts[kind]++;
}

function end() {
  clearTimeout(limit);
  stopWatching();
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  // In CI a sandbox test that was skipped is a promise that nobody checked.
  const isBad = counts.failed > 0 || counts.passed === 0 || (process.env.CI !== undefined && counts.skipped > 0);
  process.exitCode = isBad ? 1 : 0;
}
