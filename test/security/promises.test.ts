// No promise is forgotten: each has an attack in this folder or a line that says where it is shown or what it waits for.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { ELSEWHERE } from "./elsewhere.ts";
import { CATEGORIES, PROMISES } from "./promises.ts";

const ROOT = join(import.meta.dirname, "../..");
const IDS = PROMISES.map(({ id }) => id);

/** The ids that names of tests in this folder begin with. */
function attacked(): Set<string> {
  const files = globSync("*.test.ts", { cwd: import.meta.dirname });
  const text = files.map((file) => readFileSync(join(import.meta.dirname, file), "utf8")).join("\n");
  const named = [...text.matchAll(/["`]((?:[A-Z]{3}-\d\d(?:, )?)+)(?=: |",)/g)];
  return new Set(named.flatMap(([, ids = ""]) => ids.split(", ")));
}

suite("the list of promises", () => {
  test("names each id once, in a category that has words", () => {
    assert.equal(new Set(IDS).size, IDS.length);
    assert.deepEqual([...new Set(IDS.map((id) => id.slice(0, 3)))], Object.keys(CATEGORIES));
    for (const { promise, attack } of PROMISES) assert.ok(promise !== "" && attack !== "");
  });

  test("is complete: each promise is attacked here, or shown or awaited elsewhere, and not both", () => {
    const here = attacked();
    assert.deepEqual(
      IDS.filter((id) => here.has(id) === id in ELSEWHERE),
      [],
    );
  });

  test("is all there is: no test and no line belongs to an unknown promise", () => {
    assert.deepEqual(
      [...attacked(), ...Object.keys(ELSEWHERE)].filter((id) => !IDS.includes(id)),
      [],
    );
  });

  test("points to tests that exist", () => {
    for (const elsewhere of Object.values(ELSEWHERE)) {
      if ("by" in elsewhere) assert.ok(existsSync(join(ROOT, elsewhere.by)), elsewhere.by);
      else assert.notEqual(elsewhere.awaits, "");
    }
  });
});
