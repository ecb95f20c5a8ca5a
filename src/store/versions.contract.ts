import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { DEFAULT_SETTINGS } from "../core/function.ts";
import { aFunction, allPages, openFor, T0_MS } from "./contract.fixture.ts";
import type { OpenStore } from "./contract.fixture.ts";

const MAX_SOURCE_BYTES = 256 * 1024;
const upload = { functionName: "resize", language: "javascript", source: "return 1", nowMs: T0_MS };
const anyText = fc.string({ unit: "binary", maxLength: 40 }); // any Unicode, NUL included

export function versionsContract(open: OpenStore): void {
  test("a function is made in one step with its first version, and only where there is none of that name", async (t) => {
    const store = await openFor(t, open);
    const newFunction = { ...DEFAULT_SETTINGS, description: "made at once", retentionCount: 3 };

    const { version } = await store.addVersion({ ...upload, newFunction });

    const made = await store.findFunction({ name: "resize" });
    assert.deepEqual([made?.id, made?.settings], [version.functionId, newFunction]);
    const again = store.addVersion({ ...upload, source: "return 2", newFunction: DEFAULT_SETTINGS, nowMs: T0_MS + 1 });
    await assert.rejects(again, { code: "NAME_TAKEN", message: /"resize"/ });
    assert.deepEqual(await store.findFunction({ name: "resize" }), made);
    assert.equal((await store.listVersions(version.functionId, { limit: 10 })).items.length, 1);
    // One that comes at the same time must not slip in between looking and making.
    const both = [1, 2].map((n) =>
      store.addVersion({ ...upload, functionName: "raced", source: `return ${n}`, newFunction }),
    );
    const ends = await Promise.allSettled(both);
    assert.deepEqual(ends.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  });

  test("a stored version is found by its number and as the active one", async (t) => {
    const store = await openFor(t, open);

    const { version, isNew } = await store.addVersion({ ...upload, nowMs: T0_MS + 999 });

    const owner = await store.findFunction({ name: "resize" });
    assert.equal(isNew, true);
    assert.match(version.contentHash, /^[\da-f]{64}$/);
    assert.deepEqual(version, {
      functionId: owner?.id,
      functionName: "resize",
      number: T0_MS / 1000,
      language: "javascript",
      source: "return 1",
      entry: undefined,
      files: {},
      artifacts: {},
      mode: undefined,
      upload: undefined,
      style: undefined,
      egress: undefined,
      createdBy: undefined,
      createdAtMs: T0_MS + 999,
      contentHash: version.contentHash,
      sizeBytes: 8,
    });
    assert.deepEqual(await store.findVersion(version.functionId, version.number), version);
    assert.deepEqual(await store.findVersion(version.functionId, undefined), version);
    assert.deepEqual(owner, {
      id: version.functionId,
      name: "resize",
      settings: DEFAULT_SETTINGS,
      activeVersion: version.number,
      language: "javascript",
      createdAtMs: T0_MS + 999,
      updatedAtMs: T0_MS + 999,
    });
  });

  test("a version of many files keeps each, and what it was stored with", async (t) => {
    const store = await openFor(t, open);
    const files = { "lib/ä.js": "export const a = 1", "data.txt": "", __proto__x: "\0" };
    const stored = {
      ...upload,
      entry: "src/main.js",
      files,
      style: "web",
      egress: ["api.example.com", "*.example.org:8443"],
      createdBy: "ci é",
    } as const;

    const { version } = await store.addVersion(stored);

    assert.deepEqual(version.files, files);
    assert.equal(version.sizeBytes, 8 + 18 + 0 + 1);
    const { entry, style, egress, createdBy } = version;
    assert.deepEqual([entry, style, egress, createdBy], ["src/main.js", "web", stored.egress, "ci é"]);
    assert.deepEqual(await store.findVersion(version.functionId, undefined), version);
  });

  test("the content's hash tells language, entry, paths and texts apart, and nothing else", async (t) => {
    const store = await openFor(t, open);
    const same = [{}, { functionName: "other" }, { egress: "none" }, { style: "web" }, { createdBy: "a" }] as const;
    const different = [
      {},
      { source: "return 2" },
      { language: "typescript" },
      { entry: "main.js" },
      { files: { "a.js": "" } },
      { files: { "b.js": "" } },
      { files: { "a.js": "b.js" } },
      { files: { "a.js": "", "b.js": "" } },
    ];
    const hashOf = async (changes: object): Promise<string> =>
      (await store.addVersion({ ...upload, ...changes })).version.contentHash;

    assert.equal(new Set(await Promise.all(same.map(hashOf))).size, 1);
    assert.equal(new Set(await Promise.all(different.map(hashOf))).size, different.length);
    assert.equal(await hashOf({ files: { a: "1", b: "2" } }), await hashOf({ files: { b: "2", a: "1" } }));
  });

  test("an older version stays as it was when a newer one is stored", async (t) => {
    const store = await openFor(t, open);

    const { version: older } = await store.addVersion(upload);
    const { version: newer } = await store.addVersion({
      ...upload,
      source: "print(2)",
      language: "python",
      nowMs: T0_MS + 60_000,
    });

    assert.deepEqual(await store.findVersion(older.functionId, older.number), older);
    assert.deepEqual(await store.findVersion(older.functionId, undefined), newer);
    const owner = await store.findFunction({ name: "resize" });
    assert.deepEqual([owner?.language, owner?.updatedAtMs], ["python", T0_MS + 60_000]);
  });

  test("a version number grows by one when the clock stands still or goes back", async (t) => {
    const store = await openFor(t, open);

    const { version: first } = await store.addVersion(upload);
    const { version: sameSecond } = await store.addVersion({ ...upload, nowMs: T0_MS + 10 });
    const { version: anHourBack } = await store.addVersion({ ...upload, nowMs: T0_MS - 3_600_000 });

    assert.equal(sameSecond.number, first.number + 1);
    assert.equal(anHourBack.number, first.number + 2);
  });

  test("version numbers are distinct, not before their second, and end in the active one, among concurrent uploads", async (t) => {
    const store = await openFor(t, open);
    let run = 0;

    const anyUpload = fc.record({ name: fc.constantFrom("a", "b"), offsetMs: fc.nat({ max: 5_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(anyUpload, { minLength: 1, maxLength: 8 }), async (uploads) => {
        run += 1;
        const added = await Promise.all(
          uploads.map(({ name, offsetMs }) =>
            store.addVersion({ ...upload, functionName: `${name}${run}`, nowMs: T0_MS + offsetMs }),
          ),
        );

        const versions = added.map(({ version }) => version);
        for (const functionId of new Set(versions.map((version) => version.functionId))) {
          const own = versions.filter((version) => version.functionId === functionId);
          const numbers = own.map((version) => version.number);
          assert.equal(new Set(numbers).size, own.length);
          assert.ok(own.every((version) => version.number >= Math.floor(version.createdAtMs / 1000)));
          const active = await store.findVersion(functionId, undefined);
          assert.equal(active?.number, Math.max(...numbers));
        }
      }),
      { numRuns: 25 }, // each upload waits for the disk
    );
  });

  test("a version may be stored without being made active", async (t) => {
    const store = await openFor(t, open);
    const { version: first } = await store.addVersion({ ...upload, activate: false });

    assert.equal(await store.findVersion(first.functionId, undefined), undefined);
    const owner = await store.findFunction({ name: "resize" });
    assert.deepEqual([owner?.activeVersion, owner?.language], [undefined, undefined]);

    await store.addVersion(upload);
    await store.addVersion({ ...upload, activate: false, nowMs: T0_MS + 5_000 });
    const after = await store.findFunction({ name: "resize" });
    assert.deepEqual([after?.activeVersion, after?.updatedAtMs], [first.number + 1, T0_MS + 5_000]);
  });

  test("the same content again is the version that has it, and is made active again", async (t) => {
    const store = await openFor(t, open);
    const { version: first } = await store.addVersion(upload);
    const { version: second } = await store.addVersion({ ...upload, source: "return 2" });

    const again = await store.addVersion({ ...upload, reuse: true, createdBy: "other", nowMs: T0_MS + 9_000 });

    assert.deepEqual(again, { version: first, isNew: false });
    assert.equal((await store.findFunction({ name: "resize" }))?.activeVersion, first.number);
    const quiet = await store.addVersion({ ...upload, source: "return 2", reuse: true, activate: false });
    assert.deepEqual(quiet, { version: second, isNew: false });
    assert.equal((await store.findFunction({ name: "resize" }))?.activeVersion, first.number);
    assert.equal((await store.listVersions(first.functionId, { limit: 9 })).items.length, 2);
  });

  test("content is not the same where its egress, style or function differs, or nobody asks for it", async (t) => {
    const store = await openFor(t, open);
    await store.addVersion(upload);

    for (const changes of [{ egress: "none" }, { style: "script" }, { functionName: "other" }] as const) {
      assert.equal((await store.addVersion({ ...upload, ...changes, reuse: true })).isNew, true);
      assert.equal((await store.addVersion({ ...upload, ...changes, reuse: true })).isNew, false);
    }
    assert.equal((await store.addVersion(upload)).isNew, true);
  });

  test("versions are listed with the newest first, without their texts, in pages", async (t) => {
    const store = await openFor(t, open);
    const added = [];
    for (const source of ["1", "2", "3"]) added.push((await store.addVersion({ ...upload, source })).version);
    const functionId = added[0]?.functionId ?? "";

    const { items, lengths } = await allPages((cursor) => store.listVersions(functionId, { limit: 2, cursor }));

    assert.deepEqual(lengths, [2, 1]);
    assert.deepEqual(
      items,
      added.toReversed().map(({ source: _source, files: _files, ...summary }) => summary),
    );
    const empty = { items: [], cursor: undefined };
    assert.deepEqual(await store.listVersions(functionId, { limit: 2, cursor: "nonsense" }), empty);
    assert.deepEqual(await store.listVersions(functionId, { limit: 0 }), empty);
    assert.deepEqual(await store.listVersions("nobody", { limit: 2 }), empty);
  });

  test("an older version is made active again", async (t) => {
    const store = await openFor(t, open);
    const { version: first } = await store.addVersion(upload);
    await store.addVersion({ ...upload, language: "python" });

    assert.equal(await store.activateVersion(first.functionId, first.number, T0_MS + 7), "done");

    const owner = await store.findFunction({ id: first.functionId });
    assert.deepEqual([owner?.activeVersion, owner?.language], [first.number, "javascript"]);
    assert.equal(owner?.updatedAtMs, T0_MS + 7);
    assert.deepEqual(await store.findVersion(first.functionId, undefined), first);
    assert.equal(await store.activateVersion(first.functionId, 1, T0_MS), "missing");
    assert.equal(await store.activateVersion("nobody", first.number, T0_MS), "missing");
  });

  test("a version is deleted unless it is active or an alias points to it, and its number never comes again", async (t) => {
    const store = await openFor(t, open);
    const { version: first } = await store.addVersion(upload);
    const { version: second } = await store.addVersion(upload);
    const { version: third } = await store.addVersion({ ...upload, activate: false, files: { a: "1" } });
    const { functionId } = first;
    await store.putAlias(functionId, { name: "live", targets: [{ version: first.number, weight: 100 }] }, T0_MS);

    assert.equal(await store.deleteVersion(functionId, first.number, T0_MS), "in-use");
    assert.equal(await store.deleteVersion(functionId, second.number, T0_MS), "in-use");
    assert.equal(await store.deleteVersion(functionId, third.number, T0_MS + 8), "done");
    assert.equal(await store.deleteVersion(functionId, third.number, T0_MS), "missing");
    assert.equal(await store.deleteVersion("nobody", first.number, T0_MS), "missing");

    assert.equal(await store.findVersion(functionId, third.number), undefined);
    assert.deepEqual(await store.findVersion(functionId, first.number), first); // which had the same text
    assert.equal((await store.findFunction({ id: functionId }))?.updatedAtMs, T0_MS + 8);
    assert.equal((await store.addVersion(upload)).version.number, third.number + 1);
  });

  test("an alias points to versions that are there, until it is put elsewhere or deleted", async (t) => {
    const store = await openFor(t, open);
    const { version: first } = await store.addVersion(upload);
    const { version: second } = await store.addVersion(upload);
    const { functionId } = first;
    const live = { name: "live", targets: [{ version: first.number, weight: 100 }] };
    const split = {
      name: "é",
      targets: [
        { version: first.number, weight: 90 },
        { version: second.number, weight: 10 },
      ],
    };

    assert.equal(await store.putAlias(functionId, split, T0_MS), true);
    assert.equal(await store.putAlias(functionId, { ...live, targets: [{ version: 1, weight: 100 }] }, T0_MS), false);
    assert.equal(await store.putAlias("nobody", live, T0_MS), false);
    assert.equal(await store.putAlias(functionId, { ...live, targets: split.targets }, T0_MS), true);
    assert.equal(await store.putAlias(functionId, live, T0_MS + 6), true);

    assert.deepEqual(await store.listAliases(functionId), [live, split]);
    assert.equal((await store.findFunction({ id: functionId }))?.updatedAtMs, T0_MS + 6);
    assert.deepEqual(await store.listAliases("nobody"), []);
    assert.equal(await store.deleteAlias(functionId, "live"), true);
    assert.equal(await store.deleteAlias(functionId, "live"), false);
    assert.equal(await store.deleteAlias("nobody", "é"), false);
    assert.deepEqual(await store.listAliases(functionId), [split]);
  });

  test("a function that nobody uploaded has no version", async (t) => {
    const store = await openFor(t, open);
    const { version } = await store.addVersion(upload);
    const { id } = await aFunction(store, "empty");

    assert.equal(await store.findVersion(id, undefined), undefined);
    assert.equal(await store.findVersion(id, version.number), undefined);
    assert.equal(await store.findVersion("nobody", undefined), undefined);
    assert.equal(await store.findVersion(version.functionId, version.number + 1), undefined);
  });

  test("sources of any Unicode come back as they were", async (t) => {
    const store = await openFor(t, open);

    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (source, path) => {
        const { version } = await store.addVersion({ ...upload, source, files: { [`/${path}`]: source } });
        const found = await store.findVersion(version.functionId, version.number);
        assert.equal(found?.source, source);
        assert.deepEqual(found.files, { [`/${path}`]: source });
      }),
      { numRuns: 25, examples: [["before\0after", "a\0b"]] },
    );
  });

  test("a lone surrogate in a source is stored as U+FFFD", async (t) => {
    const store = await openFor(t, open);

    const { version } = await store.addVersion({ ...upload, source: "'\ud800'" });

    assert.equal(version.source, "'\ufffd'");
    assert.deepEqual(await store.findVersion(version.functionId, version.number), version);
  });

  test("the largest source is stored whole, and again under another name", async (t) => {
    const store = await openFor(t, open);
    const source = "/".repeat(MAX_SOURCE_BYTES);

    const { version: one } = await store.addVersion({ ...upload, source });
    const { version: other } = await store.addVersion({ ...upload, source, functionName: "other" });

    assert.equal((await store.findVersion(one.functionId, undefined))?.source, source);
    assert.equal((await store.findVersion(other.functionId, undefined))?.source, source);
  });
}
