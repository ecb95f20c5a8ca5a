// @ts-check

/** @typedef {import("./examine.mjs").Finding} Finding */

const COLOURS = { ok: "\u001B[32m", info: "\u001B[36m", warning: "\u001B[33m", problem: "\u001B[31m" };
const PLAIN = "\u001B[0m";
const WIDTH = "problem".length;

/** @type {typeof import("./report.mjs").report} */
export function report(findings, { colour, asRoot }) {
  const lines = findings.flatMap((finding) => {
    const { level, what, cost, fix = [] } = finding;
    const label = level.padEnd(WIDTH);
    const indent = " ".repeat(WIDTH + 2);
    return [
      `${colour ? COLOURS[level] + label + PLAIN : label}  ${what}`,
      ...(cost === undefined ? [] : [`${indent}costs: ${cost}`]),
      ...fix.map(
        (line, index) => `${indent}${index === 0 ? "fix:  " : "      "} ${asRoot ? line : withSudo(finding, line)}`,
      ),
    ];
  });
  return `${lines.join("\n")}\n\n${countOf(findings)}\n`;
}

/** @type {(findings: readonly Finding[]) => string} */
function countOf(findings) {
  /** @type {(level: Finding["level"]) => number} */
  const count = (level) => findings.filter((finding) => finding.level === level).length;
  return `${count("ok")} ok, ${count("warning")} warnings, ${count("problem")} problems`;
}

/** A whole line, redirections and all, is for root: hence the shell. @type {(finding: Finding, line: string) => string} */
function withSudo({ needsRoot }, line) {
  if (needsRoot !== true) return line;
  return /[>&|;']/.test(line) ? `sudo sh -c "${line.replaceAll('"', '\\"')}"` : `sudo ${line}`;
}
