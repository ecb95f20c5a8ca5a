// Attacks a running server in every way that test/security knows, and prints which promises survived: `npm run test:security`.
import { globSync } from "node:fs";
import { run } from "node:test";
import { ELSEWHERE } from "../test/security/elsewhere.ts";
import { CATEGORIES, PROMISES } from "../test/security/promises.ts";

const files = globSync("test/security/*.test.ts").sort();
/** Promise id -> how many attacks were tried, and the names of those that came through. */
const tally = new Map(PROMISES.map(({ id }) => [id, { tried: 0, lost: [] }]));
/** Failures that belong to no promise: a file that cannot be run, or a test about the list itself. */
const otherFailures = [];
const details = [];

// One after the other: some attacks are measured. A file that hangs is a failure of its own.
const stream = run({ files, concurrency: 1, timeout: 120_000 });
stream.on("test:pass", (event) => count(event, true));
stream.on("test:fail", (event) => count(event, false));
stream.on("data", () => {}); // the events come only when the stream is read
stream.on("end", () => {
  printTable();
  const survived = [...tally.values()].every(({ lost }) => lost.length === 0) && otherFailures.length === 0;
  if (!survived) process.exitCode = 1;
});

/** A test's name begins with the ids of the promises that it attacks. */
function count({ name, details: { type, error }, skip }, survived) {
  const ids = /^((?:[A-Z]{3}-\d\d(?:, )?)+): /.exec(name)?.[1]?.split(", ") ?? [];
  if (!survived && type !== "suite") {
    if (ids.length === 0 && error?.failureType !== "subtestsFailed") otherFailures.push(name);
    details.push(`${name}\n    ${String(error?.cause?.message ?? error?.message).replaceAll("\n", "\n    ")}`);
  }
  if (skip !== undefined) return;
  for (const id of ids) {
    const entry = tally.get(id);
    if (entry === undefined) continue;
    entry.tried += 1;
    if (!survived) entry.lost.push(name);
  }
}

function printTable() {
  const row = (...cells) =>
    `${cells[0].padEnd(8)}${cells[1].padEnd(52)}${cells[2].padStart(6)}${cells[3].padStart(10)}\n`;
  const lines = [];
  const sums = { tried: 0, survived: 0 };
  for (const [prefix, title] of Object.entries(CATEGORIES)) {
    lines.push(`\n${row("", title, "tried", "survived")}`);
    for (const { id, promise } of PROMISES.filter((entry) => entry.id.startsWith(prefix))) {
      const { tried, lost } = tally.get(id);
      sums.tried += tried;
      sums.survived += tried - lost.length;
      if (tried > 0) lines.push(row(id, promise, String(tried), String(tried - lost.length)));
      else lines.push(`${id.padEnd(8)}${promise.padEnd(52)}  ${whereElse(id)}\n`);
      for (const name of lost) lines.push(`        FAILED ${name}\n`);
    }
  }
  lines.push(`\n${row("", "all", String(sums.tried), String(sums.survived))}`);
  for (const name of otherFailures) lines.push(`FAILED ${name}\n`);
  if (details.length > 0) lines.push("\n", ...details.map((detail) => `${detail}\n\n`));
  process.stdout.write(lines.join(""));
}

function whereElse(id) {
  const elsewhere = ELSEWHERE[id] ?? { awaits: "an attack" };
  return elsewhere.by === undefined ? `awaits ${elsewhere.awaits}` : `shown by ${elsewhere.by}`;
}
