// @ts-check
import { spawnSync } from "node:child_process";

/** @typedef {import("./examine.mjs").Finding} Finding */

/** @type {typeof import("./repair.mjs").repair} */
export function repair(findings, { asRoot, dir, say }) {
  for (const { level, what, fix = [], canFix, needsRoot } of findings) {
    if (!canFix || (level !== "warning" && level !== "problem")) continue;
    if (needsRoot === true && !asRoot) say(`needs root, not repaired: ${what}`);
    else runAll(fix, dir, say);
  }
}

/** Stops at the first command that fails: the next may build on it. @type {(commands: readonly string[], dir: string, say: (text: string) => void) => void} */
function runAll(commands, dir, say) {
  for (const command of commands) {
    say(command);
    // Not to stdout: with `--json` that is for the findings alone.
    const { status } = spawnSync("sh", ["-c", command], {
      cwd: dir,
      stdio: ["ignore", process.stderr, process.stderr],
    });
    if (status !== 0) {
      say(`failed, exit code ${status}`);
      return;
    }
  }
}
