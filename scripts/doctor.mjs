// @ts-check
// Looks at this machine as the server would, and says what is wrong, what it costs and how to repair it.
// Plain JavaScript without packages: it runs where `npm start` does not.
//   npm run doctor                what is, in words; exit code 1 when there is a problem
//   npm run doctor -- --fix       runs the commands that are complete and harmless, then looks again
//   npm run doctor -- --json      the findings
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { examine } from "./doctor/examine.mjs";
import { repair } from "./doctor/repair.mjs";
import { report } from "./doctor/report.mjs";
import { thisMachine } from "./doctor/this-machine.mjs";

const PRODUCT_DIR = join(dirname(fileURLToPath(import.meta.url)), "..");
const OPTIONS = ["--fix", "--json"];

const given = process.argv.slice(2);
const unknown = given.find((option) => !OPTIONS.includes(option));
if (unknown === undefined) await main();
else {
  process.stderr.write(`doctor: "${unknown}" is none of ${OPTIONS.join(", ")}\n`);
  process.exitCode = 2;
}

async function main() {
  const asRoot = process.getuid?.() === 0;
  let findings = await examine(thisMachine(PRODUCT_DIR));
  if (given.includes("--fix")) {
    repair(findings, { asRoot, dir: PRODUCT_DIR, say: (text) => process.stderr.write(`doctor: ${text}\n`) });
    findings = await examine(thisMachine(PRODUCT_DIR));
  }
  if (given.includes("--json")) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else process.stdout.write(report(findings, { colour: process.stdout.isTTY, asRoot }));
  if (findings.some(({ level }) => level === "problem")) process.exitCode = 1;
}
