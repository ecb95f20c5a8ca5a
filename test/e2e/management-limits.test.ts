// The limits of the management API: each met from below, and refused beyond, by name.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { zipOf } from "../../src/services/zip.fixture.ts";
import { type Answered, ManagementUnderTest } from "../management-under-test.ts";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const LUA = { language: "lua", code: "return 1" };

suite("the management API", () => {
  let server: ServerUnderTest;
  let api: ManagementUnderTest;
  before(async () => {
    server = await startServer({ CODE_MAX_SIZE: "10000", TIMEOUT_SCRIPT: "3", BODY_MAX_SIZE: String(MIB) });
    api = await ManagementUnderTest.open(server.url);
    await api.call("createFunction", 201, { body: { name: "f", ...LUA } });
    await api.call("createFunction", 201, { body: { name: "settings", ...LUA } });
  });
  after(() => server.dispose());

  function assertRefused({ json }: Answered, code: string, message: RegExp): void {
    assert.equal(json.error.code, code);
    assert.match(json.error.message, message);
  }

  test("takes names of 200 bytes, and only of the characters that a path can have", async () => {
    await api.call("createFunction", 201, { body: { name: "n".repeat(200), ...LUA } });
    await api.call("readFunction", 200, { params: { id: "n".repeat(200) } });
    for (const name of [
      "n".repeat(201),
      "",
      "a b",
      "a//b",
      "/a",
      "a/",
      "../a",
      "é",
      "a@1",
      "01890000-0000-7000-8000-000000000000",
    ]) {
      assertRefused(await api.call("createFunction", 400, { body: { name, ...LUA } }), "INVALID_REQUEST", /^name: /);
      assertRefused(
        await api.call("changeFunction", 400, { params: { id: "f" }, body: { name } }),
        "INVALID_REQUEST",
        /^name: /,
      );
    }
    assertRefused(
      await api.call("createFunction", 400, { body: { name: 7, ...LUA } }),
      "INVALID_REQUEST",
      /^name: text/,
    );
  });

  for (const [field, good, bad, message] of [
    ["description", "é".repeat(250), `${"é".repeat(250)}x`, /^description: 500 bytes at most/],
    ["timeoutMs", 3000, 3001, /^timeoutMs: 3000 at most \(setting TIMEOUT_SCRIPT\)/],
    ["timeoutMs", 1, 0, /^timeoutMs: 1 at least/],
    ["concurrency", 64, 65, /^concurrency: 64 at most/],
    ["concurrency", 1, 0, /^concurrency: 1 at least/],
    ["isolation", "fresh", "cold", /^isolation: /],
    ["access", "public", "private", /^access: /],
    ["corsOrigins", ["*", "https://a.example:8443"], ["a.example"], /^corsOrigins\.0: an origin/],
    ["callsPerMinute", 1, 0.5, /^callsPerMinute: /],
    ["retentionDays", 3650, 3651, /^retentionDays: 3650 at most/],
    ["retentionCount", 1, 0, /^retentionCount: 1 at least/],
    ["egress", "none", "everywhere", /^egress: one of "none"/],
    ["egress", null, ["http://a.example/"], /^egress: each entry is a host/],
    ["egress", null, ["public"], /^egress: each entry is a host/],
    ["saveResponses", true, "yes", /^saveResponses: /],
    ["disabled", false, null, /^disabled: /],
  ] as const) {
    test(`takes ${field} ${JSON.stringify(good).slice(0, 40)}, and not ${JSON.stringify(bad).slice(0, 40)}`, async () => {
      await api.call("changeFunction", 200, { params: { id: "settings" }, body: { [field]: good } });
      const refused = await api.call("changeFunction", 400, { params: { id: "settings" }, body: { [field]: bad } });
      assertRefused(refused, "INVALID_REQUEST", message);
      const first = await api.call("createFunction", 400, { body: { name: "g", ...LUA, [field]: bad } });
      assertRefused(first, "INVALID_REQUEST", message);
      await api.call("readFunction", 404, { params: { id: "g" } });
    });
  }

  test("takes code up to CODE_MAX_SIZE, and more of it as files", async () => {
    const code = (bytes: number): string => `return 1 --${"x".repeat(bytes - 11)}`;
    await api.call("createVersion", 201, { params: { id: "f" }, body: { code: code(10_000) } });
    const refused = await api.call("createVersion", 413, { params: { id: "f" }, body: { code: code(10_001) } });
    assertRefused(refused, "CODE_TOO_LARGE", /^code: 10001 bytes \(max 10000, setting CODE_MAX_SIZE\)/);
    const files = { "main.lua": code(100_000) };
    await api.call("createVersion", 201, { params: { id: "f" }, body: { files } });
  });

  test("takes 1000 files of 50 MiB together", async () => {
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [n === 0 ? "main.lua" : `f${n}.lua`, "return 1"]));
    await api.call("createVersion", 201, { params: { id: "f" }, body: { files: many(1000) } });
    const refused = await api.call("createVersion", 400, { params: { id: "f" }, body: { files: many(1001) } });
    assertRefused(refused, "INVALID_REQUEST", /^files: more than 1000 files/);
    const large = { "main.lua": "return 1", "data.txt": "x".repeat(50 * MIB) };
    const heavy = await api.call("createVersion", 413, { params: { id: "f" }, body: { files: large } });
    assertRefused(heavy, "CODE_TOO_LARGE", /^files: more than 50 MiB/);
    const tooHeavy = await api.call("createVersion", 413, { params: { id: "f" }, body: "x".repeat(63 * MIB) });
    assertRefused(tooHeavy, "BODY_TOO_LARGE", /max 65536000 bytes/);
  });

  test("takes no wicked archive, and is well afterwards", async () => {
    const headers = { "content-type": "application/zip" };
    const main = { name: "main.lua", content: "return 1" };
    for (const [entries, code, status, message] of [
      [
        [{ name: "../evil.lua", content: "" }],
        "INVALID_REQUEST",
        400,
        /^archive: illegal file path in zip: invalid relative path/,
      ],
      [[{ name: "link", content: "/etc/passwd", unixMode: 0o120777 }], "INVALID_REQUEST", 400, /no plain file/],
      [[{ name: "a.png", content: Buffer.from([0xff]) }], "INVALID_REQUEST", 400, /not text in UTF-8/],
      [[{ name: "bomb", content: Buffer.alloc(40 * MIB) }], "INVALID_REQUEST", 400, /200 to 1/],
      [[{ name: "bomb", content: Buffer.alloc(60 * MIB), claimedBytes: 10 }], "INVALID_REQUEST", 400, /too many bytes/],
      [[{ name: "big", content: "", claimedBytes: 51 * MIB }], "CODE_TOO_LARGE", 413, /more than 50 MiB/],
    ] as const) {
      const body = zipOf([main, ...entries]);
      assertRefused(await api.call("createVersion", status, { params: { id: "f" }, body, headers }), code, message);
    }
    const garbage = await api.call("createVersion", 400, {
      params: { id: "f" },
      body: Buffer.from("PK, not"),
      headers,
    });
    assertRefused(garbage, "INVALID_REQUEST", /^archive: /);
    assert.equal((await api.call("invoke", 200, { params: { id: "f" } })).json.result, 1);
  });

  test("takes 100 variables and secrets, with names and values of a size", async () => {
    const params = { id: "f" };
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`V${n}`, "v".repeat(n === 0 ? 10_000 : 1)]));
    await api.call("putEnv", 200, { params, body: { env: many(99) } });
    await api.call("putSecret", 204, {
      params: { ...params, key: "S".repeat(100) },
      body: { value: "s".repeat(10_000) },
    });
    const oneMore = await api.call("putSecret", 400, { params: { ...params, key: "T" }, body: { value: "t" } });
    assertRefused(oneMore, "INVALID_REQUEST", /^env: more than 100/);
    assertRefused(
      await api.call("putEnv", 400, { params, body: { env: many(100) } }),
      "INVALID_REQUEST",
      /more than 100/,
    );
    for (const [name, value, message] of [
      ["9A", "v", /the name "9A"/],
      ["A-B", "v", /the name "A-B"/],
      ["", "v", /the name ""/],
      ["A".repeat(101), "v", /100 characters at most/],
      ["A", "v".repeat(10_001), /A has 10001 bytes \(max 10000\)/],
      ["A", "v\0", /NUL/],
    ] as const) {
      assertRefused(
        await api.call("putEnv", 400, { params, body: { env: { [name]: value } } }),
        "INVALID_REQUEST",
        message,
      );
    }
    assertRefused(
      await api.call("putEnv", 400, { params, body: { env: { A: 1 } } }),
      "INVALID_REQUEST",
      /^env\.A: text/,
    );
    assertRefused(
      await api.call("putEnv", 400, { params, body: '{"env":{"__proto__":"x"}}' }),
      "INVALID_REQUEST",
      /__proto__/,
    );
    await api.call("putEnv", 200, { params, body: { env: {} } });
  });

  test("takes keys of 512 bytes and values of 256 KiB", async () => {
    const params = { key: "k".repeat(512) };
    await api.call("putGlobalKv", 204, { params, body: { value: "v".repeat(256 * KIB - 2) } });
    await api.call("readGlobalKv", 200, { params });
    const large = await api.call("putGlobalKv", 413, { params, body: { value: "v".repeat(256 * KIB - 1) } });
    assertRefused(large, "STORE_FULL", /max 262144/);
    const long = await api.call("putGlobalKv", 400, { params: { key: "k".repeat(513) }, body: { value: 1 } });
    assertRefused(long, "INVALID_REQUEST", /key too long: 513 bytes \(max 512\)/);
  });

  test("refuses bodies that are too long, wherever they go, and lets the client read why", async () => {
    const body = "x".repeat(3 * MIB);
    assertRefused(
      await api.call("invoke", 413, { params: { id: "f" }, body }),
      "BODY_TOO_LARGE",
      /max 1048576 bytes, setting BODY_MAX_SIZE/,
    );
    assertRefused(await api.call("createKey", 413, { body }), "BODY_TOO_LARGE", /max 4096 bytes\)/);
  });
});
