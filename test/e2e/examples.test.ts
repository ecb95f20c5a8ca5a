// Every example does what its README says, with the commands that are in it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { STYLES } from "../../src/core/function.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";
import { checkAnswers, deployAsReadme, exampleNames, programFiles, readmeText } from "./examples/readme.ts";

const JSON_SH = join(import.meta.dirname, "../../examples/json.sh");
/** Its answers need an internet, which `examples/ai-proxy.test.ts` has. */
const ELSEWHERE = "ai-proxy";

let server: ServerUnderTest;
before(async () => {
  server = await startServer({ MAX_CONTAINERS: "12", EGRESS: "public" });
});
after(() => server.dispose());

for (const name of exampleNames()) {
  test(`${name} is deployed${name === ELSEWHERE ? "" : ", and answers,"} as its README says`, async () => {
    await deployAsReadme(name, server);
    if (name !== ELSEWHERE) await checkAnswers(name, server);

    for (const path of programFiles(name)) {
      assert.ok(readmeText(name).includes(`$(sh ../json.sh ${path})`), `${path} is deployed`);
    }
  });
}

test("the list of examples names each with its language and style", async () => {
  const rows = [...readmeText().matchAll(/^\| \[([\w-]+)\]\(\1\/README\.md\) \| (\w+) \| (\w+) \|/gm)];
  const listed = rows.map(([, name = "", language = "", style = ""]) => ({ name, language, style }));
  const deployed = await Promise.all(
    exampleNames().map(async (name) => {
      const { language, version } = (await (await fetch(`${server.url}/api/functions/${name}`)).json()) as {
        language: string;
        version: { style: string };
      };
      return { name, language, style: version.style };
    }),
  );

  assert.deepEqual(
    listed.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    deployed,
  );
});

test("the examples show every language and every style", async () => {
  const rows = [...readmeText().matchAll(/^\| \[[^|]* \| (\w+) \| (\w+) \|/gm)];

  assert.deepEqual(sortedSet(rows.map(([, language = ""]) => language)), ["javascript", "lua", "python", "typescript"]);
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
