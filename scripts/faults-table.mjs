// Breaks servers, Redis and what is between them, and prints what was lost: `npm run test:faults -- --times=20 --only=node-kill,uploads`.
import { parseArgs } from "node:util";
import { FAULTS } from "../test/faults/all.ts";

const MOST_SHOWN = 10;
const { values } = parseArgs({ options: { times: { type: "string", default: "5" }, only: { type: "string" } } });
const times = Number(values.times);
if (!Number.isInteger(times) || times < 1) throw new Error(`--times=${values.times}: a whole number from 1`);
const wanted = values.only?.split(",");
const unknown = wanted?.filter((id) => !FAULTS.some((fault) => fault.id === id)) ?? [];
if (unknown.length > 0) throw new Error(`--only: ${unknown.join()}; there are ${FAULTS.map(({ id }) => id).join()}`);

const row = (...cells) =>
  `${cells[0].padEnd(50)}${cells
    .slice(1, 6)
    .map((cell) => cell.padStart(9))
    .join("")}${cells[6].padStart(16)}  ${cells[7]}\n`;
const problems = [];
process.stdout.write(row("fault", "tried", "accepted", "kept", "lost", "doubled", "back p50/max s", ""));
for (const { id, title, mostTimes = times, lacks, run } of FAULTS) {
  if (wanted !== undefined && !wanted.includes(id)) continue;
  const lacking = lacks?.();
  if (lacking !== undefined) {
    process.stdout.write(row(title, "0", "", "", "", "", "", `not tried: ${lacking}`));
    continue;
  }
  const tried = Math.min(times, mostTimes);
  try {
    const { accepted, lost, doubled, recoveriesMs, note } = await run(tried);
    const back = [percentile(recoveriesMs, 0.5), percentile(recoveriesMs, 1)].map(seconds).join(" / ");
    const counts = [tried, accepted, accepted - lost.length, lost.length, doubled.length].map(String);
    process.stdout.write(row(title, ...counts, back, note));
    problems.push(...[...lost, ...doubled].slice(0, MOST_SHOWN).map((text) => `${id}: ${text}`));
  } catch (error) {
    process.stdout.write(row(title, String(tried), "", "", "FAILED", "", "", ""));
    problems.push(`${id}: ${error.stack}`);
  }
}
process.stdout.write(problems.length === 0 ? "\nlost: nothing\n" : `\n${problems.join("\n")}\n`);
if (problems.length > 0) process.exitCode = 1;

function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

function seconds(ms) {
  return ms === undefined ? "-" : (ms / 1000).toFixed(ms < 1_000 ? 3 : 1);
}
