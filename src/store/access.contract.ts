import assert from "node:assert/strict";
import { test } from "node:test";
import { openFor } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";
import type { StoredKey, StoredSession } from "./store.ts";

export function accessContract(open: OpenStore): void {
  const key = (id: string, createdAtMs: number): StoredKey => {
    return { id, name: `key ${id} é`, scope: "deploy", hash: `hash of ${id}`, hint: "clo_1234", createdAtMs };
  };
  const session = (hash: string, keyId: string | undefined, expiresAtMs: number): StoredSession => {
    return { hash, keyId, scope: "read", expiresAtMs };
  };

  test("keys are listed oldest first until they are removed", async (t) => {
    const store = await openFor(t, open);
    await store.addKey(key("b", 2));
    await store.addKey(key("a", 1));
    const listed = await store.listKeys();
    const removed = [await store.removeKey("a"), await store.removeKey("a")];

    assert.deepEqual(listed, [key("a", 1), key("b", 2)]);
    assert.deepEqual(removed, [true, false]);
    assert.deepEqual(await store.listKeys(), [key("b", 2)]);
    await assert.rejects(store.addKey(key("b", 3)), { code: "STORE_UNAVAILABLE" });
  });

  test("a session is there until it expires, is removed, or its key is", async (t) => {
    const store = await openFor(t, open);
    await store.addKey(key("a", 1));
    await store.addKey(key("b", 1));
    const [ofA, ofB, operators] = [session("1", "a", 100), session("2", "b", 200), session("3", undefined, 300)];
    for (const each of [ofA, ofB, operators, session("4", "b", 50)]) await store.addSession(each);
    const byHash = async (nowMs: number): Promise<StoredSession[]> =>
      (await store.listSessions(nowMs)).sort((a, b) => (a.hash < b.hash ? -1 : 1));

    assert.deepEqual(await byHash(50), [ofA, ofB, operators]);
    assert.deepEqual(await byHash(0), [ofA, ofB, operators]); // the one that had expired is gone for good
    await store.removeKey("a");
    assert.deepEqual(await byHash(50), [ofB, operators]);
    assert.deepEqual([await store.removeSession("3"), await store.removeSession("3")], [true, false]);
    assert.deepEqual(await byHash(199), [ofB]);
    assert.deepEqual(await byHash(200), []);
  });
}
