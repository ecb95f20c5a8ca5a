// What the documents say of the management API is what it does.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { faultTable } from "../../src/core/errors.ts";
import { hasGo } from "../go-here.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const DOCS = join(import.meta.dirname, "../../docs");
/** Programs that are uploaded as files. */
const NO_TEXT = new Set(["native", "wasm"]);
const run = promisify(execFile);

suite("the documents of the management API", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer();
  });
  after(() => server.dispose());

  test("have examples that give the answers they show", async () => {
    const markdown = readFileSync(join(DOCS, "management-api.md"), "utf8");
    const examples = [...markdown.matchAll(/^(curl .*)\n((?:# .*\n)*)/gm)];
    assert.ok(examples.length >= 12, `${examples.length} examples`);
    for (const [, command = "", answer = ""] of examples) {
      const here = command.replaceAll("localhost:8080", new URL(server.url).host).replaceAll("curl ", "curl -sS ");
      const { stdout } = await run("sh", ["-c", here]);
      assert.equal(stdout.trim(), answer.replaceAll(/^# /gm, "").trim(), command);
    }
  });

  test("list every error with its status, and no other", () => {
    const rows = [
      ...readFileSync(join(DOCS, "errors.md"), "utf8").matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (\S.*) \|$/gm),
    ];
    assert.deepEqual(
      rows.map(([, code, status]) => `${code} ${status}`).toSorted(),
      faultTable()
        .map(({ code, status }) => `${code} ${status}`)
        .toSorted(),
    );
  });

  test("have a function in each language for language models, which deploys and answers", async () => {
    const text = await (await fetch(`${server.url}/llms.txt`)).text();
    const system = (await (await fetch(`${server.url}/api/system`)).json()) as { runtimes: { languages: string[] }[] };
    const samples = [...text.matchAll(/```(\w+)\n([^`]+)\n```\n\n[^]*?```sh\n(jq .*)\n```/g)];
    assert.deepEqual(
      samples.map(([, language = ""]) => language).toSorted(),
      system.runtimes
        .flatMap(({ languages }) => languages)
        .filter((language) => !NO_TEXT.has(language))
        .toSorted(),
    );
    for (const [, language = "", code = "", command = ""] of samples) {
      if (language === "go" && !hasGo) continue;
      const file = /--rawfile code (\S+)/.exec(command)?.[1] ?? "";
      const script = `cat > ${file}; ${command.replace("| curl", "| curl -sS")}`;
      const deployed = run("sh", ["-c", script], { cwd: server.dataDir });
      deployed.child.stdin?.end(code);
      const { stdout } = await deployed;
      assert.equal((JSON.parse(stdout) as { name?: string }).name, `hello-${language}`, stdout);
      for (const calls of [1, 2]) {
        const answer = await fetch(`${server.url}/fn/hello-${language}?name=you`);
        const expected = language === "go" ? { hello: "you" } : { hello: "you", calls };
        assert.deepEqual(JSON.parse(await answer.text()), expected, language);
      }
    }
  });
});
