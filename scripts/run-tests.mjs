// Runs every test file, or those named on the command line, and closes with one plain line: N passed, N failed.
import { globSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync(["src/**/*.test.ts", "test/**/*.test.ts"]).sort();
const counts = { passed: 0, failed: 0, skipped: 0 };

const stream = run({ files, concurrency: 2 });
stream.on("test:pass", (event) => count(event, event.skip === undefined ? "passed" : "skipped"));
stream.on("test:fail", (event) => count(event, "failed"));
stream.on("end", () => {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  // In CI a sandbox test that was skipped is a promise that nobody checked.
  if (counts.failed > 0 || counts.passed === 0 || (process.env.CI !== undefined && counts.skipped > 0))
    process.exitCode = 1;
});
stream.compose(spec).pipe(process.stdout);

/** A file or suite is no test of its own, unless it failed where no test of it did. */
function count({ details, name }, kind) {
  const isFile = files.includes(name);
  if (details.type === "suite" || (isFile && kind !== "failed")) return;
  counts[kind]++;
}
