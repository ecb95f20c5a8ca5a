import assert from "node:assert/strict";
import { test } from "node:test";
import { aFunction, openFor, T0_MS } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";
import type { StoredVariable } from "./store.ts";

export function variablesContract(open: OpenStore): void {
  const plain = (name: string, value: string): StoredVariable => ({ name, secret: false, value });
  const secret = (name: string, sealed: string): StoredVariable => ({ name, secret: true, sealed });

  test("variables and secrets are listed by name, each function's apart", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "a");
    const { id: other } = await aFunction(store, "b");

    assert.equal(await store.putVariable(id, plain("b", "1 é\0"), T0_MS + 1), "done");
    assert.equal(await store.putVariable(id, secret("a", "sealed"), T0_MS + 2), "done");
    assert.equal(await store.putVariable(id, plain("B", ""), T0_MS + 3), "done");
    assert.equal(await store.putVariable(other, plain("b", "2"), T0_MS), "done");
    assert.equal(await store.putVariable("nobody", plain("b", "2"), T0_MS), "missing");

    assert.deepEqual(await store.listVariables(id), [plain("B", ""), secret("a", "sealed"), plain("b", "1 é\0")]);
    assert.deepEqual(await store.listVariables(other), [plain("b", "2")]);
    assert.deepEqual(await store.listVariables("nobody"), []);
    assert.equal((await store.findFunction({ id }))?.updatedAtMs, T0_MS + 3);
  });

  test("a variable takes another value, but not the other kind", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "a");
    await store.putVariable(id, plain("p", "1"), T0_MS);
    await store.putVariable(id, secret("s", "1"), T0_MS);

    assert.equal(await store.putVariable(id, plain("p", "2"), T0_MS), "done");
    assert.equal(await store.putVariable(id, secret("s", "2"), T0_MS), "done");
    assert.equal(await store.putVariable(id, secret("p", "3"), T0_MS), "taken");
    assert.equal(await store.putVariable(id, plain("s", "3"), T0_MS), "taken");

    assert.deepEqual(await store.listVariables(id), [plain("p", "2"), secret("s", "2")]);
  });

  test("replacing the variables leaves the secrets", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "a");
    await store.putVariable(id, plain("old", "1"), T0_MS);
    await store.putVariable(id, secret("s", "1"), T0_MS);

    assert.equal(await store.replaceVariables(id, { new: "1", old: "2" }, T0_MS), "done");
    assert.equal(await store.replaceVariables(id, { more: "1", s: "2" }, T0_MS), "taken");
    assert.equal(await store.replaceVariables("nobody", {}, T0_MS), "missing");
    assert.deepEqual(await store.listVariables(id), [plain("new", "1"), plain("old", "2"), secret("s", "1")]);

    assert.equal(await store.replaceVariables(id, {}, T0_MS + 4), "done");
    assert.deepEqual(await store.listVariables(id), [secret("s", "1")]);
    assert.equal((await store.findFunction({ id }))?.updatedAtMs, T0_MS + 4);
  });

  test("a variable is deleted by its name and kind", async (t) => {
    const store = await openFor(t, open);
    const { id } = await aFunction(store, "a");
    await store.putVariable(id, plain("p", "1"), T0_MS);

    assert.equal(await store.deleteVariable(id, { name: "p", secret: true }, T0_MS + 1), false);
    assert.equal((await store.findFunction({ id }))?.updatedAtMs, T0_MS);
    assert.equal(await store.deleteVariable(id, { name: "p", secret: false }, T0_MS + 1), true);
    assert.equal(await store.deleteVariable(id, { name: "p", secret: false }, T0_MS + 2), false);
    assert.equal(await store.deleteVariable("nobody", { name: "p", secret: false }, T0_MS), false);

    assert.deepEqual(await store.listVariables(id), []);
    assert.equal((await store.findFunction({ id }))?.updatedAtMs, T0_MS + 1);
  });
}
