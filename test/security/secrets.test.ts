// What functions keep, and what is kept from everybody: secrets, keys and values.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";

const SECRET = "hunter2-is-a-secret-of-ours";

let server: AttackedServer;
before(async () => {
  server = await startAttacked({ TIMEOUT_SCRIPT: "5" });
});
after(() => server.dispose());
afterEach(async () => {
  await server.settled();
});

async function api(method: string, path: string, body?: unknown): Promise<string> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${server.url}/api${path}`, {
    ...init,
    headers: { "Content-Type": "application/json" },
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text;
}

async function deploy(name: string, language: string, code: string): Promise<void> {
  await api("POST", "/functions", { name, language, code });
}

async function call(path: string, init?: RequestInit): Promise<string> {
  return await (await fetch(`${server.url}/fn/${path}`, init)).text();
}

suite("a secret", () => {
  const LEAKS = {
    javascript: `
      export const handler = (event) => {
        console.log("it is " + process.env.SECRET);
        console.error("still " + process.env.SECRET);
        if (event.rawPath.endsWith("/throw")) throw new Error("no " + process.env.SECRET);
        return process.env.SECRET.length;
      };`,
    python: `
import os, sys
def handler(event, context):
    print("it is " + os.environ["SECRET"])
    print("still " + os.environ["SECRET"], file=sys.stderr)
    if event["path"].endswith("/throw"): raise ValueError("no " + os.environ["SECRET"])
    return len(os.environ["SECRET"])`,
    lua: `
      function handler(ctx, event)
        print("it is " .. env.get("SECRET"))
        log.error("still " .. env.get("SECRET"))
        if event.relativePath == "/throw" then error("no " .. env.get("SECRET")) end
        return { body = tostring(#env.get("SECRET")) }
      end`,
  };
  before(async () => {
    for (const [language, code] of Object.entries(LEAKS)) {
      await deploy(`leaks-${language}`, language, code);
      await api("PUT", `/functions/leaks-${language}/secrets/SECRET`, { value: SECRET });
      assert.equal(await call(`leaks-${language}?token=${SECRET}`), String(SECRET.length));
      await call(`leaks-${language}/throw`, { method: "POST", body: `my password is ${SECRET}` });
    }
  });

  test("SEC-01: is nowhere in the data folder as it is, nor in any encoding that is easily undone", async () => {
    await api("GET", "/executions"); // what is buffered is written by then
    const needles = [SECRET, Buffer.from(SECRET).toString("base64").slice(0, -4), Buffer.from(SECRET).toString("hex")];
    for (const file of readdirSync(server.dataDir, { recursive: true, encoding: "utf8" })) {
      if (!file.startsWith("cloche.db") && !file.endsWith(".key")) continue;
      const bytes = readFileSync(join(server.dataDir, file)).toString("latin1");
      for (const needle of needles) assert.ok(!bytes.includes(needle), file);
    }
  });

  test("SEC-03: is given back by no route", async () => {
    const executions = JSON.parse(await api("GET", "/executions?limit=50")) as { items: { id: string }[] };
    assert.ok(executions.items.length >= 6);
    const answers = [
      await api("GET", "/functions"),
      await api("GET", "/system"),
      await api("GET", "/executions?text=hunter2"),
      ...(await Promise.all(
        Object.keys(LEAKS).flatMap((language) =>
          ["", "/env", "/versions", "/kv", "/aliases"].map((path) => api("GET", `/functions/leaks-${language}${path}`)),
        ),
      )),
      ...(await Promise.all(
        executions.items.flatMap(({ id }) => [api("GET", `/executions/${id}`), api("GET", `/executions/${id}/logs`)]),
      )),
    ];
    for (const answer of answers) assert.ok(!answer.includes(SECRET), answer);
  });

  test("SEC-04: is masked in lines, errors and events, in every language", async () => {
    for (const language of Object.keys(LEAKS)) {
      const { items } = JSON.parse(await api("GET", `/executions?function=leaks-${language}`)) as {
        items: { id: string; status: string }[];
      };
      const failed = items.find(({ status }) => status === "error");
      const detail = await api("GET", `/executions/${failed?.id}`);
      const logs = await api("GET", `/executions/${failed?.id}/logs`);

      assert.match(detail, /no \*\*\*/, language);
      assert.match(detail, /my password is \*\*\*/, language);
      assert.match(logs, /it is \*\*\*/, language);
      assert.match(logs, /still \*\*\*/, language);
    }
  });

  test("SEC-08: is all that a box has; there is no token in it that would open anything outside", async () => {
    await deploy(
      "looks",
      "javascript",
      "export const handler = () => ({ env: Object.keys(process.env).sort(), argv: process.argv.length });",
    );
    const { env } = JSON.parse(await call("looks")) as { env: string[] };

    assert.deepEqual(env, ["HOME", "LANG", "PATH", "PWD", "SSL_CERT_FILE", "TMPDIR"]);
  });
});

suite("keys and values", () => {
  const REACH = {
    javascript: `
      import { kv } from "cloche";
      export const handler = async (event) => {
        const found = [];
        for (const key of JSON.parse(event.body)) found.push((await kv.get(key)) ?? null);
        return { found, keys: await kv.list(""), all: await kv.all() };
      };`,
    python: `
import json
from cloche import kv
def handler(event, context):
    found = [kv.get(key) for key in json.loads(event["body"])]
    return {"found": found, "keys": kv.list(""), "all": kv.all()}`,
    lua: `
      function handler(ctx, event)
        local found = {}
        for i, key in ipairs(json.decode(event.body)) do found[i] = kv.get(key) or false end
        return { body = { found = found, keys = kv.listKeys(), all = kv.all() } }
      end`,
  };

  test("TEN-01: of a function are reached by no other one, whatever it takes for a key", async () => {
    await deploy("owner", "lua", 'function handler() return { body = tostring(kv.set("mine", "treasure")) } end');
    assert.equal(await call("owner"), "true");
    const { id } = JSON.parse(await api("GET", "/functions/owner")) as { id: string };
    const tricks = [
      ...["mine", `${id}:mine`, `${id}/mine`, "../owner/mine", "owner:mine", "*", "%", "_ine", "{}", `{${id}}mine`],
      ...[`functionId:${id}`, "'; SELECT * FROM kv --", "mine\u0001", "global", "MINE"],
    ];
    for (const [language, code] of Object.entries(REACH)) {
      await deploy(`thief-${language}`, language, code);
      const answer = await call(`thief-${language}`, { method: "POST", body: JSON.stringify(tricks) });

      assert.ok(!answer.includes("treasure"), `${language}: ${answer}`);
      const { found } = JSON.parse(answer) as { found: unknown[] };
      assert.equal(found.length, tricks.length, answer);
    }
  });
});
