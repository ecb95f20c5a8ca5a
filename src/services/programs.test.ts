import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeRuntime } from "./fake-runtime.fixture.ts";
import { Programs } from "./programs.ts";

function programs(): { programs: Programs; runtime: FakeRuntime } {
  const runtime = new FakeRuntime();
  const missing = { found: false, base: "python", languages: ["python"], reason: "python3 is not installed" } as const;
  return { programs: new Programs([{ found: true, runtime }, missing]), runtime };
}

test("the same code in the same language is prepared once, also for callers at the same time", async () => {
  const { programs: subject, runtime } = programs();
  const held = Promise.withResolvers<void>();
  runtime.hold = held.promise;
  const both = [subject.prepare("javascript", { text: "1" }), subject.adHoc("javascript", "1", "none")] as const;
  held.resolve();
  const [program, version] = await Promise.all(both);
  await subject.prepare("typescript", { text: "1" });

  assert.equal(version.program, program);
  assert.deepEqual(runtime.prepared, ["javascript: 1", "typescript: 1"]);
});

test("ad-hoc code has the identity of its content and belongs to no function", async () => {
  const { programs: subject } = programs();
  const [one, same, other] = [
    await subject.adHoc("javascript", "1", "none"),
    await subject.adHoc("javascript", "1", "none"),
    await subject.adHoc("javascript", "2", "none"),
  ];

  assert.match(one.id, /^ad-hoc:[\da-f]{64}$/);
  assert.equal(one.id, same.id);
  assert.notEqual(one.id, other.id);
  assert.equal(one.function, undefined);
});

test("programs of the same main file with other files beside it are prepared apart", async () => {
  const { programs: subject, runtime } = programs();
  const withFile = (text: string) =>
    subject.prepare("javascript", { text: "1", entry: "a.js", files: { "b.js": text } });
  const [one, same, other] = [await withFile("2"), await withFile("2"), await withFile("3")];

  assert.equal(one, same);
  assert.notEqual(one, other);
  assert.equal(runtime.prepared.length, 2);
});

test("a preparation that fails is not remembered", async () => {
  const { programs: subject, runtime } = programs();
  runtime.hold = Promise.reject(new Error("compiler fell over"));
  await assert.rejects(subject.prepare("javascript", { text: "1" }), /fell over/);
  runtime.hold = Promise.resolve();

  assert.equal((await subject.prepare("javascript", { text: "1" })).code, "compiled 1");
});

test("a language that is not there is refused with what is, and why where that is known", () => {
  const { programs: subject } = programs();

  assert.deepEqual(subject.languages, ["javascript", "typescript"]);
  assert.throws(() => subject.check("python"), {
    code: "UNSUPPORTED_LANGUAGE",
    message: 'unsupported language "python" (python3 is not installed); installed: javascript, typescript',
  });
  for (const language of ["cobol", "", "constructor", "JavaScript"]) {
    assert.throws(() => subject.check(language), { code: "UNSUPPORTED_LANGUAGE" }, language);
  }
});
