import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { test } from "node:test";
import { aFunction, allPages, eventually, openFor, T0_MS } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";

const MIB = 1024 * 1024;
const native = Buffer.from("\x7fELF\0\xff", "latin1");
const wasm = Buffer.from("\0asm\x01\0\0\0", "latin1");
const program = { functionName: "resize", language: "go", source: "package main", nowMs: T0_MS } as const;
const uploaded = (label: string, description = "") => ({ id: randomUUID(), label, description });

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function artifactsContract(open: OpenStore): void {
  test("a version keeps its artifacts, byte for byte, and which of them runs", async (t) => {
    const store = await openFor(t, open);

    const { version } = await store.addVersion({ ...program, artifacts: { native, wasm }, mode: "wasm" });

    assert.deepEqual(version.artifacts, {
      native: { hash: sha256(native), sizeBytes: native.length },
      wasm: { hash: sha256(wasm), sizeBytes: wasm.length },
    });
    assert.equal(version.mode, "wasm");
    assert.equal(version.sizeBytes, program.source.length + native.length + wasm.length);
    assert.deepEqual(await store.findVersion(version.functionId, undefined), version);
    const found = await store.findBlob(sha256(native));
    assert.ok(Buffer.isBuffer(found), "bytes come as a Buffer");
    assert.deepEqual(found, native);
    assert.deepEqual(await store.findBlob(sha256(wasm)), wasm);
    assert.equal(await store.findBlob(sha256(Buffer.from("other"))), undefined);
    assert.equal(await store.findBlob("nonsense"), undefined);
  });

  test("an artifact of 50 MiB is kept whole", async (t) => {
    const store = await openFor(t, open);
    const large = Buffer.alloc(50 * MIB, "0123456789abcdef!");

    await store.addVersion({ ...program, artifacts: { native: large }, mode: "native" });

    assert.equal((await store.findBlob(sha256(large)))?.equals(large), true);
  });

  test("the content's hash tells artifacts apart, and the same content again is the same version", async (t) => {
    const store = await openFor(t, open);
    const different = [{}, { native }, { wasm }, { native: wasm }, { native, wasm }, { native: wasm, wasm: native }];
    const hashes = new Set<string>();
    for (const artifacts of different) {
      hashes.add((await store.addVersion({ ...program, artifacts })).version.contentHash);
    }
    assert.equal(hashes.size, different.length);

    const same = { ...program, functionName: "same", artifacts: { native, wasm }, reuse: true };
    assert.equal((await store.addVersion({ ...same, mode: "wasm" })).isNew, true);
    assert.equal((await store.addVersion({ ...same, mode: "wasm" })).isNew, false);
    assert.equal((await store.addVersion({ ...same, mode: "native" })).isNew, true);
  });

  test("bytes are there as long as a version has them", async (t) => {
    const store = await openFor(t, open);
    const own = Buffer.from("own");
    const { version: first } = await store.addVersion({ ...program, artifacts: { native, wasm: own } });
    await store.addVersion({ ...program, artifacts: { wasm: native } }); // the same bytes in another place
    const { id: otherId } = await aFunction(store, "other");
    await store.addVersion({ ...program, functionName: "other", artifacts: { native } });

    await store.deleteVersion(first.functionId, first.number, T0_MS);
    assert.equal(await store.findBlob(sha256(own)), undefined);
    assert.deepEqual(await store.findBlob(sha256(native)), native);

    await store.deleteFunction(first.functionId);
    assert.deepEqual(await store.findBlob(sha256(native)), native);
    await store.deleteFunction(otherId);
    await eventually(async () => (await store.findBlob(sha256(native))) === undefined);
  });

  test("an upload is found by its id, with its label and description", async (t) => {
    const store = await openFor(t, open);
    const upload = uploaded("v1 é", "a \0 description");

    const { version } = await store.addVersion({ ...program, artifacts: { native }, mode: "native", upload });

    assert.deepEqual(version.upload, upload);
    const { source: _source, files: _files, ...summary } = version;
    assert.deepEqual(await store.findUpload(upload.id), summary);
    assert.deepEqual((await store.listVersions(version.functionId, { limit: 9 })).items, [summary]);
    assert.equal(await store.findUpload(randomUUID()), undefined);
    await store.deleteFunction(version.functionId);
    assert.equal(await store.findUpload(upload.id), undefined);
  });

  test("a label is unique in its function, and a second one changes nothing", async (t) => {
    const store = await openFor(t, open);
    const { version } = await store.addVersion({ ...program, upload: uploaded("v1") });
    const again = { ...program, source: "package other", upload: uploaded("v1"), nowMs: T0_MS + 9_000 };

    await assert.rejects(store.addVersion(again), { code: "VERSION_EXISTS", message: /"resize".*"v1"/ });

    assert.equal(await store.findUpload(again.upload.id), undefined);
    assert.equal((await store.listVersions(version.functionId, { limit: 9 })).items.length, 1);
    assert.equal((await store.findFunction({ name: "resize" }))?.updatedAtMs, T0_MS);
    await store.addVersion({ ...again, upload: uploaded("V1") });
    await store.addVersion({ ...again, functionName: "other", upload: uploaded("v1") });
  });

  test("of two uploads with one label at once, one is stored and the other refused", async (t) => {
    const store = await openFor(t, open);

    const ends = await Promise.allSettled([
      store.addVersion({ ...program, source: "a", upload: uploaded("v1") }),
      store.addVersion({ ...program, source: "b", upload: uploaded("v1") }),
    ]);

    assert.deepEqual(ends.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    assert.equal((await store.listUploads({ limit: 9 })).items.length, 1);
  });

  test("a label is free again when its version, or its function, is deleted", async (t) => {
    const store = await openFor(t, open);
    const { version: first } = await store.addVersion({ ...program, upload: uploaded("v1") });
    const { version: second } = await store.addVersion({ ...program, upload: uploaded("v2") });
    await store.deleteVersion(first.functionId, first.number, T0_MS);

    const { version: third } = await store.addVersion({ ...program, upload: uploaded("v1") });
    assert.ok(third.number > second.number);
    await store.deleteFunction(first.functionId);
    assert.equal((await store.addVersion({ ...program, upload: uploaded("v2") })).isNew, true);
  });

  test("uploads of all functions are listed in pages, the newest first", async (t) => {
    const store = await openFor(t, open);
    const labels = ["a", "b", "c", "d", "e"];
    for (const [index, label] of labels.entries()) {
      const functionName = index % 2 === 0 ? "even" : "odd";
      await store.addVersion({ ...program, functionName, upload: uploaded(label), nowMs: T0_MS + index });
    }
    await store.addVersion({ ...program, nowMs: T0_MS + 9 }); // which did not come that way

    const { items, lengths } = await allPages((cursor) => store.listUploads({ limit: 2, cursor }));

    assert.deepEqual(lengths, [2, 2, 1]);
    const listed = items.map(({ upload, functionName }) => [upload?.label, functionName]);
    assert.deepEqual(listed, labels.map((label, index) => [label, index % 2 === 0 ? "even" : "odd"]).toReversed());
    const empty = { items: [], cursor: undefined };
    assert.deepEqual(await store.listUploads({ limit: 2, cursor: "nonsense" }), empty);
    assert.deepEqual(await store.listUploads({ limit: 0 }), empty);
  });

  test("uploads of a deleted function are not listed", async (t) => {
    const store = await openFor(t, open);
    const { version } = await store.addVersion({ ...program, upload: uploaded("v1") });
    await store.deleteFunction(version.functionId);

    assert.deepEqual((await store.listUploads({ limit: 9 })).items, []);
  });
}
