// docs/scaling.md: what it says to type starts two servers, and answers what it says.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePorts } from "../free-ports.ts";
import { PROGRAMS } from "./balancer-under-test.ts";

const ROOT = join(import.meta.dirname, "../..");
const LIMIT_MS = 240_000;
const PORTS = ["8080", "8081", "8082", "6390"];
const skip = existsSync(PROGRAMS.haproxy)
  ? false
  : `${PROGRAMS.haproxy} is not installed: node scripts/setup.mjs --dev`;

interface Step {
  readonly commands: string;
  readonly answer: string;
}

test("two servers start on one machine by copy and paste", { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloche-scaling-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const free = (await freePorts(PORTS.length)).toSorted((one, other) => one - other); // a list of addresses is sorted
  const here = new Map(PORTS.map((port, at) => [port, String(free[at])]));
  const withPorts = (text: string): string =>
    text.replaceAll(/(?<=[:= ])(8080|8081|8082|6390)\b/g, (port) => here.get(port) ?? port);
  const balancer = join(folder, "haproxy.cfg");
  writeFileSync(balancer, withPorts(readFileSync(join(ROOT, "deploy/haproxy/cloche.cfg"), "utf8")));
  const steps = stepsOf(readFileSync(join(ROOT, "docs/scaling.md"), "utf8"));
  const adapted = steps.map(({ commands, answer }) => ({
    commands: withPorts(commands)
      .replaceAll("deploy/haproxy/cloche.cfg", balancer)
      .replaceAll(/"\$PWD\/two-nodes/g, `"${folder}/two-nodes`)
      .replaceAll(/(?<=[ =])two-nodes/g, `${folder}/two-nodes`),
    answer: withPorts(answer),
  }));

  const printed = await runTogether(adapted);
  assert.ok(adapted.filter(({ answer }) => answer !== "").length >= 6);
  for (const [at, { commands, answer }] of adapted.entries()) {
    if (answer !== "") assert.equal(printed[at]?.trim(), answer.trim(), commands);
  }
  assert.equal(existsSync(join(folder, "two-nodes")), false, "its last step takes everything away");
});

/** Commands up to the answer that is behind `# `, or up to the end of their block. */
function stepsOf(markdown: string): Step[] {
  const [, section = ""] = /^## Two servers on one machine.*\n([\s\S]*?)^## /m.exec(`${markdown}\n## `) ?? [];
  const blocks = Array.from(section.matchAll(/^```sh\n([\s\S]*?)^```$/gm), ([, block = ""]) => block);
  return blocks.flatMap((block) =>
    Array.from(block.matchAll(/((?:[^#\n].*\n)+)((?:# ?.*\n)*)/g), ([, commands = "", answer = ""]) => ({
      commands,
      answer: answer.replaceAll(/^# ?/gm, ""),
    })),
  );
}

/** In one shell, as its reader would; returns what each step printed. */
async function runTogether(steps: readonly Step[]): Promise<string[]> {
  const mark = "=== next step ===";
  const script = steps.map(({ commands }) => `${commands}\necho '${mark}'\n`).join("");
  const prelude = 'curl() { command curl -sS "$@"; }\n';
  // A process group of its own: whatever a step that failed has left is ended with it.
  const shell = spawn("bash", ["-ec", prelude + script], {
    cwd: ROOT,
    detached: true,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let stdout = "";
  let stderr = "";
  shell.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  shell.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const giveUp = setTimeout(() => endGroup(shell.pid), LIMIT_MS);
  const closed = once(shell, "close");
  const [code] = (await once(shell, "exit")) as [number | null];
  clearTimeout(giveUp);
  endGroup(shell.pid); // else what it has left would hold its output open
  await closed;
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout.split(mark);
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of it is left
  }
}
