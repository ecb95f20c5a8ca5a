// The commands of an example's README, and what it says that they answer.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";

const EXAMPLES = join(import.meta.dirname, "../../../examples");
const LIMIT_MS = 180_000; // a compiler that has nothing in its cache
const run = promisify(execFile);

/** Commands that belong together: what they print is the answer. */
interface Step {
  readonly commands: string;
  /** Undefined: the README shows none, and the commands only have to succeed. */
  readonly answer: string | undefined;
}

export interface Place {
  /** Of the server under test. */
  readonly url: string;
  /** What is different here from what a reader would type. */
  readonly replace?: Readonly<Record<string, string>>;
  /** Beside what the test has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Starts a program where the server can be reached. */
  readonly launcher?: readonly string[];
}

export function exampleNames(): string[] {
  return globSync("*/README.md", { cwd: EXAMPLES }).map(dirname).toSorted();
}

/** Runs the commands of the README that make the function and set it up: those without an answer. */
export async function deployAsReadme(name: string, place: Place): Promise<void> {
  for (const step of stepsOf(name)) if (step.answer === undefined) await follow(name, step, place);
}

/** Runs those with an answer, and compares it. */
export async function checkAnswers(name: string, place: Place): Promise<void> {
  const steps = stepsOf(name).filter(({ answer }) => answer !== undefined);
  assert.ok(steps.length > 0, `the README of ${name} shows an answer`);
  for (const step of steps) await follow(name, step, place);
}

async function follow(name: string, { commands, answer }: Step, place: Place): Promise<void> {
  const options = answer === undefined ? "--fail-with-body" : "";
  let script = commands;
  for (const [from, to] of Object.entries(place.replace ?? {})) script = script.replaceAll(from, to);
  script = script.replaceAll("localhost:8080", new URL(place.url).host);
  const prelude = `cd '${join(EXAMPLES, name)}'\ncurl() { command curl -sS ${options} "$@"; }\n`;
  const [program, ...args] = [...(place.launcher ?? []), "sh", "-ec", prelude + script];
  const { stdout } = await run(program, args, { timeout: LIMIT_MS, env: { ...process.env, ...place.env } });
  const printed = stdout.replaceAll(new URL(place.url).host, "localhost:8080");
  if (answer !== undefined) assert.equal(plain(printed), plain(answer), commands);
}

/** Lines of shell up to their answer, which is behind `# `, or up to the end of their block. */
function stepsOf(name: string): Step[] {
  const markdown = readmeText(name);
  const blocks = markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm);
  const pairs = Array.from(blocks).flatMap(([, block = ""]) =>
    Array.from(block.matchAll(/((?:[^#\n].*\n|\n)+)((?:# ?.*\n)*)/g)),
  );
  return pairs.map(([, commands = "", answer = ""]) => ({
    commands,
    answer: answer === "" ? undefined : answer.replaceAll(/^# ?/gm, ""),
  }));
}

/** Without what differs from run to run, and the newline that most answers do not end with. */
function plain(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>").trim();
}

/** Paths of the files that belong to the program, within its folder. */
export function programFiles(name: string): string[] {
  const folder = join(EXAMPLES, name);
  const entries = globSync("**/*", { cwd: folder, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => relative(folder, path)).filter((path) => path !== "README.md");
}

/** The folder's own README, or that of one example. */
export function readmeText(name = ""): string {
  return readFileSync(join(EXAMPLES, name, "README.md"), "utf8");
}
