// New versions under load: each is in force with its answer, and no call fails meanwhile.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const run = promisify(execFile);
const DEPLOYS = 100;
const CALLERS = 4;

suite("a file that is sent as it is", () => {
  test("is deployed by its name, and again under it", async (t) => {
    const server = await startServer();
    t.after(() => server.dispose());
    const send = async (file: string, query: string): Promise<string> => {
      const dir = mkdtempSync(join(tmpdir(), "cloche-test-"));
      t.after(() => rmSync(dir, { recursive: true, force: true }));
      writeFileSync(join(dir, "code"), file);
      const url = `${server.url}/api/functions/hello${query}`;
      const { stdout } = await run("curl", ["-sS", "-w", " %{http_code}", "-T", join(dir, "code"), url]);
      return stdout;
    };
    const call = async (): Promise<string> => await (await fetch(`${server.url}/fn/hello`)).text();

    assert.match(await send("def handler(event, context):\n    return 'one \"✓\"'\n", "?language=python"), / 201$/);
    assert.equal(await call(), 'one "✓"');
    assert.match(await send("export default () => new Response('two')", "?language=javascript"), / 201$/);
    assert.equal(await call(), "two");
    assert.match(await send("export default {{{", "?language=javascript"), /"code":"CODE_REJECTED".* 400$/);
    assert.match(await send("return 1", "?language=cobol"), /"code":"UNSUPPORTED_LANGUAGE".* 400$/);
    assert.match(await send("return 1", ""), /not JSON.* 400$/);
    assert.equal(await call(), "two");
  });
});

suite("a hundred deploys under load", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer({ MAX_QUEUE: "1000" });
  });
  after(() => server.dispose());

  async function put(code: string): Promise<number> {
    const body = JSON.stringify({ language: "javascript", code });
    const response = await fetch(`${server.url}/api/functions/f`, { method: "PUT", body });
    assert.ok(response.ok, await response.clone().text());
    return ((await response.json()) as { activeVersion: number }).activeVersion;
  }

  async function call(path = "f"): Promise<string> {
    const response = await fetch(`${server.url}/fn/${path}`);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text;
  }

  test("fail no call, and no call gets a version older than the one that was answered before it began", async () => {
    let deployed = 0;
    const code = (number: number): string => `export default () => new Response("${number}");`;
    await put(code(0));
    const calls = { over: false, count: 0 };
    const callers = Array.from({ length: CALLERS }, async () => {
      while (!calls.over) {
        const atLeast = deployed;
        const got = Number(await call());
        assert.ok(got >= atLeast, `version ${got} after ${atLeast} had been deployed`);
        calls.count++;
        await delay(2); // the deploys are to have a share of the machine
      }
    });
    for (let number = 1; number <= DEPLOYS; number++) {
      await put(code(number));
      deployed = number;
    }
    calls.over = true;
    await Promise.all(callers);

    assert.equal(await call(), String(DEPLOYS));
    assert.ok(calls.count > DEPLOYS, `${calls.count} calls`);
  });

  test("end with all versions there; going back to one of them is one call away", async () => {
    const versions: number[] = [];
    let cursor: string | undefined;
    do {
      const query = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = (await (await fetch(`${server.url}/api/functions/f/versions?limit=50${query}`)).json()) as {
        items: { version: number }[];
        nextCursor?: string;
      };
      versions.push(...page.items.map(({ version }) => version));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.equal(versions.length, DEPLOYS + 1);

    const oldest = versions.at(-1);
    const back = await fetch(`${server.url}/api/functions/f/versions/${oldest}/activate`, { method: "POST" });
    assert.equal(back.status, 200);
    assert.equal(await call(), "0");
    assert.equal(await call(`f@${versions[0]}`), String(DEPLOYS));
  });

  test("of the same code are the same version", async () => {
    const code = "export default () => new Response('same');";
    const [first, again] = [await put(code), await put(code)];

    assert.equal(again, first);
  });
});
