import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { diffFiles, diffLines } from "./diff.ts";

function shown(before: string, after: string): string[] {
  const signs = { unchanged: " ", added: "+", removed: "-" };
  return diffLines(before, after).map(
    ({ type, oldLine, newLine, text }) => `${signs[type]} ${oldLine ?? "."} ${newLine ?? "."} ${text}`,
  );
}

suite("a diff", () => {
  test("numbers the lines of both sides, blank ones at the end of a part included", () => {
    const before = "one\n\ntwo\n\nthree\n";
    const after = "one\n\n2\n\n\nthree\nfour\n";

    assert.deepEqual(shown(before, after), [
      "  1 1 one",
      "  2 2 ",
      "- 3 . two",
      "+ . 3 2",
      "  4 4 ",
      "+ . 5 ",
      "  5 6 three",
      "+ . 7 four",
    ]);
  });

  test("does not call a last line changed for its line break", () => {
    assert.deepEqual(shown("a\nb", "a\nb\nc\n"), ["  1 1 a", "  2 2 b", "+ . 3 c"]);
    assert.deepEqual(shown("", "a\n"), ["+ . 1 a"]);
    assert.deepEqual(shown("\n", ""), ["- 1 . "]);
    assert.deepEqual(shown("", ""), []);
  });

  test("gives both texts back, whatever they are", () => {
    const text = fc.array(fc.constantFrom("", "a", "b", "same"), { maxLength: 30 }).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before, after);
        const old = lines.filter(({ type }) => type !== "added");
        const now = lines.filter(({ type }) => type !== "removed");
        assert.deepEqual(
          old.map(({ oldLine }) => oldLine),
          old.map((_, place) => place + 1),
        );
        assert.deepEqual(
          now.map(({ newLine }) => newLine),
          now.map((_, place) => place + 1),
        );
        assert.equal(old.map((line) => line.text).join("\n"), before.replace(/\n$/, ""));
        assert.equal(now.map((line) => line.text).join("\n"), after.replace(/\n$/, ""));
      }),
    );
  });

  test("of very different long texts does not hold up the server", () => {
    const lines = (seed: string): string => Array.from({ length: 20_000 }, (_, n) => `${seed}${n}`).join("\n");
    const startedMs = performance.now();

    const diff = diffLines(lines("a"), lines("b"));

    assert.equal(diff.length, 40_000);
    assert.ok(performance.now() - startedMs < 2000);
  });

  test("of files tells which came, went, changed and stayed", () => {
    const diff = diffFiles({ same: "x", gone: "1", other: "a" }, { same: "x", came: "2\n", other: "b" });

    assert.deepEqual(
      diff.map(({ path, status, items }) => [path, status, items.length]),
      [
        ["came", "added", 1],
        ["gone", "removed", 1],
        ["other", "changed", 2],
        ["same", "unchanged", 1],
      ],
    );
  });
});
