// Every example does what its README says, with the commands that are in it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { STYLES } from "../../src/core/function.ts";
import { goBin, hasGo, NO_GO } from "../go-here.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { checkAnswers, deployAsReadme, exampleNames, programFiles, readmeText } from "./examples/readme.ts";

const JSON_SH = join(import.meta.dirname, "../../examples/json.sh");
/** Its answers need an internet, which `examples/ai-proxy.test.ts` has. */
const ELSEWHERE = "ai-proxy";

/** Their READMEs start a compiler, or bring bytes or an archive. */
const NO_TEXT = new Set(["go-module", "native-words", "wasm-upper"]);

function isSkipped(name: string): boolean {
  return !hasGo && (name.startsWith("go-") || name === "native-words");
}

let server: ServerUnderTest;
const folder = mkdtempSync(join(tmpdir(), "cloche-examples-")); // what a README's compiler writes
before(async () => {
  server = await startServer({ MAX_CONTAINERS: "12", EGRESS: "public" });
});
after(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

for (const name of exampleNames()) {
  test(
    `${name} is deployed${name === ELSEWHERE ? "" : ", and answers,"} as its README says`,
    {
      skip: isSkipped(name) && NO_GO,
    },
    async () => {
      await deployAsReadme(name, {
        url: server.url,
        // With the flag of other tests' programs: the standard library is compiled once for all, into the usual cache of Go.
        env: { TMPDIR: folder, GOFLAGS: "-trimpath", PATH: `${process.env["PATH"]}:${goBin}` },
      });
      if (name !== ELSEWHERE) await checkAnswers(name, server);

      if (NO_TEXT.has(name)) return;
      for (const path of programFiles(name)) {
        assert.ok(readmeText(name).includes(`$(sh ../json.sh ${path})`), `${path} is deployed`);
      }
    },
  );
}

test("the list of examples names each with its language and style", async () => {
  const rows = [...readmeText().matchAll(/^\| \[([\w-]+)\]\(\1\/README\.md\) \| (\w+) \| (\w+) \|/gm)];
  const listed = rows.map(([, name = "", language = "", style = ""]) => ({ name, language, style }));
  const deployed = await Promise.all(
    exampleNames()
      .filter((name) => !isSkipped(name))
      .map(async (name) => {
        const { language, version } = (await (await fetch(`${server.url}/api/functions/${name}`)).json()) as {
          language: string;
          version: { style: string };
        };
        return { name, language, style: version.style };
      }),
  );

  assert.deepEqual(
    listed.filter(({ name }) => !isSkipped(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    deployed,
  );
});

test("the examples show every language and every style", async () => {
  const rows = [...readmeText().matchAll(/^\| \[[^|]* \| (\w+) \| (\w+) \|/gm)];

  assert.deepEqual(sortedSet(rows.map(([, language = ""]) => language)), [
    ...["go", "javascript", "lua", "native", "python", "typescript", "wasm"],
  ]);
  assert.deepEqual(sortedSet(rows.map(([, , style = ""]) => style)), [...STYLES].toSorted());
});

test("json.sh prints what JSON reads back as the file, whatever is in it", async () => {
  const text = 'a "quoted" \\n back\\\\slash\ttab\r\n$(not run) `nor this` ünïcode 😀\n\nend\n';
  const file = join(server.dataDir, "text");
  writeFileSync(file, text);
  const { stdout } = await promisify(execFile)("sh", [JSON_SH, file]);

  assert.equal(JSON.parse(stdout), text);
});

function sortedSet(words: readonly string[]): string[] {
  return [...new Set(words)].toSorted();
}
