import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../core/manual-clock.fixture.ts";
import type { Store, StoredKey } from "../store/store.ts";
import { Keys } from "./keys.ts";

/** A store that holds keys in a list. */
function storeOf(keys: StoredKey[]): Store {
  return {
    addKey: (key: StoredKey) => Promise.resolve(void keys.push(key)),
    listKeys: () => Promise.resolve([...keys]),
    removeKey(id: string) {
      const at = keys.findIndex((key) => key.id === id);
      if (at >= 0) keys.splice(at, 1);
      return Promise.resolve(at >= 0);
    },
  } as unknown as Store;
}

test("a key lets in with its scope, also after a restart, until it is removed", async () => {
  const stored: StoredKey[] = [];
  const keys = await Keys.open(storeOf(stored), new ManualClock(), undefined);
  const { record, secret } = await keys.create("ci", "deploy");
  const later = await Keys.open(storeOf(stored), new ManualClock(), undefined);

  assert.match(secret, /^clo_[\w-]{43}$/);
  assert.equal(keys.scopeOf(secret), "deploy");
  assert.equal(later.scopeOf(secret), "deploy");
  assert.equal(later.scopeOf(secret.slice(0, -1)), undefined);
  assert.equal(await later.remove(record.id), true);
  assert.equal(later.scopeOf(secret), undefined);
  assert.equal(await later.remove(record.id), false);
});

test("neither the store nor the list has the key itself", async () => {
  const stored: StoredKey[] = [];
  const keys = await Keys.open(storeOf(stored), new ManualClock(), undefined);
  const { secret } = await keys.create("ci", "read");
  const told = JSON.stringify([stored, keys.list()]);

  assert.equal(told.includes(secret), false);
  assert.equal(told.includes(secret.slice(12)), false);
  assert.deepEqual(Object.keys(keys.list()[0] ?? {}), ["id", "name", "scope", "hint", "createdAtMs", "lastUsedAtMs"]);
});

test("the list says when each key was used last", async () => {
  const clock = new ManualClock();
  const keys = await Keys.open(storeOf([]), clock, undefined);
  const { secret } = await keys.create("used", "read");
  await keys.create("never", "read");
  clock.advance(5_000);
  keys.scopeOf(secret);

  assert.deepEqual(
    keys.list().map(({ name, lastUsedAtMs }) => [name, lastUsedAtMs]),
    [
      ["used", clock.now()],
      ["never", undefined],
    ],
  );
});

test("the operator's key has all rights and is in no list", async () => {
  const operatorKey = "k".repeat(32);
  const keys = await Keys.open(storeOf([]), new ManualClock(), operatorKey);

  assert.equal(keys.scopeOf(operatorKey), "admin");
  assert.equal(keys.none, false);
  assert.deepEqual(keys.list(), []);
});

test("without any key nobody could be let in", async () => {
  const keys = await Keys.open(storeOf([]), new ManualClock(), undefined);
  const before = keys.none;
  await keys.create("first", "admin");

  assert.deepEqual([before, keys.none], [true, false]);
});
