// The documents say what the code does: the README's commands give its answers, settings and links exist.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { SETTINGS } from "../src/config/settings.ts";
import { type ServerUnderTest, startServer } from "./server-under-test.ts";

const ROOT = join(import.meta.dirname, "..");
const run = promisify(execFile);

suite("the README", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer();
  });
  after(() => server.dispose());

  test("gives the answers that its curl lines get", async () => {
    const examples = curlExamples(readFileSync(join(ROOT, "README.md"), "utf8"));
    assert.ok(examples.length >= 6, `${examples.length} examples`);
    for (const { command, answer } of examples) {
      const { stdout } = await run("sh", [
        "-c",
        command.replaceAll("localhost:8080", new URL(server.url).host).replace("curl ", "curl -sS "),
      ]);
      assert.equal(plain(stdout), plain(answer), command);
    }
  });
});

/** A `curl` line and the `# ` lines behind it. */
function curlExamples(markdown: string): { command: string; answer: string }[] {
  return [...markdown.matchAll(/^(curl .*)\n((?:# ?.*\n)+)/gm)].map(([, command = "", answer = ""]) => ({
    command,
    answer: answer.replace(/^# ?/gm, ""),
  }));
}

/** Without what differs from run to run: version numbers, and the empty lines between events. */
function plain(text: string): string {
  return text
    .replace(/"version":\d{10}/, '"version":0')
    .replace(/\n\n/g, "\n")
    .trim();
}

test("docs/settings.md has every setting with its default", () => {
  const text = readFileSync(join(ROOT, "docs/settings.md"), "utf8");
  const documented = new Map(
    [...text.matchAll(/^\| `([A-Z_]+)` \|([^|]*)\|/gm)].map(([, name = "", fallback = ""]) => [name, fallback.trim()]),
  );
  assert.deepEqual(
    [...documented.keys()].toSorted(),
    Object.values(SETTINGS)
      .map(({ name }) => name)
      .toSorted(),
  );
  for (const setting of Object.values(SETTINGS)) {
    const { name, fallback } = setting;
    const words = documented.get(name) ?? "";
    if (fallback === undefined) assert.equal(words, "");
    else if (name !== "MAX_CONTAINERS") assert.equal(setting.parse(words), fallback, name);
  }
});

test("every link and every file named in the documents exists", () => {
  for (const document of globSync(["*.md", "docs/**/*.md"], { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, document), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      assert.ok(existsSync(join(ROOT, dirname(document), target)), `${document} links to ${target}`);
    }
    for (const [, path = ""] of text.matchAll(/`((?:src|test|docs|scripts|bench)\/[\w./-]+\.(?:ts|mjs|cjs|py|md))`/g)) {
      assert.ok(existsSync(join(ROOT, path)), `${document} names ${path}`);
    }
  }
});
