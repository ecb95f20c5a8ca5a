import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { Keys } from "./keys.ts";
import { SESSION_MS, Sessions } from "./sessions.ts";

const OPERATOR = "the-operators-own-key-of-32-characters";

async function opened(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "cloche-test-"));
  const file = join(folder, "cloche.db");
  const store = await openSqliteStore({ file, keepExecutions: 10 });
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const clock = new ManualClock();
  const keys = await Keys.open(store, clock, OPERATOR);
  return { store, keys, clock, folder, sessions: await Sessions.open(store, keys, clock) };
}

suite("a session", () => {
  test("has the scope of its key, and ends after twelve hours", async (t) => {
    const { keys, sessions, clock } = await opened(t);
    const { secret } = await keys.create("laptop", "read");

    const session = await sessions.open(secret);
    const cookie = session?.cookie ?? "";

    assert.match(cookie, /^[\w-]{43}$/);
    assert.deepEqual(sessions.find(cookie), {
      scope: "read",
      keyName: "laptop",
      expiresAtMs: clock.now() + SESSION_MS,
    });
    clock.advance(SESSION_MS - 1);
    assert.notEqual(sessions.find(cookie), undefined);
    clock.advance(1);
    assert.equal(sessions.find(cookie), undefined);
  });

  test("is not given for what is no key, and nothing else is a cookie", async (t) => {
    const { keys, sessions } = await opened(t);
    const { secret } = await keys.create("laptop", "read");

    assert.equal(await sessions.open("clo_wrong"), undefined);
    assert.equal(sessions.find(secret), undefined);
    assert.equal(sessions.find(""), undefined);
  });

  test("ends when it is ended, and when its key is removed", async (t) => {
    const { keys, sessions } = await opened(t);
    const { secret, record } = await keys.create("laptop", "read");
    const [one, other] = [await sessions.open(secret), await sessions.open(secret)];

    assert.equal(await sessions.end(one?.cookie ?? ""), true);
    assert.equal(sessions.find(one?.cookie ?? ""), undefined);
    assert.notEqual(sessions.find(other?.cookie ?? ""), undefined);
    await keys.remove(record.id);
    assert.equal(sessions.find(other?.cookie ?? ""), undefined);
  });

  test("outlives the server, but not the operator's key where that has opened it", async (t) => {
    const { store, keys, sessions, clock } = await opened(t);
    const { secret } = await keys.create("laptop", "deploy");
    const own = (await sessions.open(secret))?.cookie ?? "";
    const operators = (await sessions.open(OPERATOR))?.cookie ?? "";
    assert.equal(sessions.find(operators)?.scope, "admin");

    const open = async (key: string | undefined): Promise<Sessions> =>
      await Sessions.open(store, await Keys.open(store, clock, key), clock);
    const [same, none, other] = [await open(OPERATOR), await open(undefined), await open(`another ${OPERATOR}`)];

    for (const later of [same, none, other]) assert.equal(later.find(own)?.keyName, "laptop");
    assert.equal(same.find(operators)?.scope, "admin");
    for (const later of [none, other]) {
      assert.equal(later.find(operators), undefined);
      assert.equal(await later.end(operators), false);
    }
  });

  test("leaves nothing in the database that opens a door", async (t) => {
    const { store, keys, sessions, folder } = await opened(t);
    const { secret } = await keys.create("laptop", "deploy");
    const cookie = (await sessions.open(secret))?.cookie ?? "";
    assert.equal((await store.listSessions(0)).length, 1);

    for (const name of ["cloche.db", "cloche.db-wal"]) {
      const bytes = readFileSync(join(folder, name));
      assert.equal(bytes.includes(cookie) || bytes.includes(secret), false);
    }
  });

  test("knows the name of a key", async (t) => {
    const { keys } = await opened(t);
    const { secret } = await keys.create("laptop", "deploy");

    assert.equal(keys.find(secret)?.name, "laptop");
    assert.equal(keys.find(OPERATOR)?.name, "operator");
    assert.equal(keys.find("clo_wrong")?.name, undefined);
  });
});
