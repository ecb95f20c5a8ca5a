import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleFilesOf, parseGoSum } from "./go-sum.ts";

const HASH = "h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=";
const HEX = "2f35fb85e7c9bcbe78ca379f0c40c734e3438c8234b7dc592cf5ec51ef932abd";
const LINE = `example.org/a v1.0.0 ${HASH}\n`;

function files(paths: readonly string[]): Record<string, Buffer> {
  return Object.fromEntries(paths.map((path) => [path, Buffer.from(path.endsWith("go.sum") ? LINE : "")]));
}

test("each line is a file of a module proxy, with its hash", () => {
  const text = [
    `rsc.io/quote v1.5.2 ${HASH}`,
    `rsc.io/quote v1.5.2/go.mod ${HASH}`,
    `github.com/BurntSushi/toml v1.4.0-RC1+incompatible ${HASH}\r`,
    `example.org/x/~v_2 v0.0.0-20240102030405-abcdefabcdef ${HASH}`,
  ].join("\n");

  assert.deepEqual(parseGoSum(text), [
    { name: "rsc.io/quote/@v/v1.5.2.zip", kind: "zip", hash: HEX },
    { name: "rsc.io/quote/@v/v1.5.2.mod", kind: "mod", hash: HEX },
    { name: "github.com/!burnt!sushi/toml/@v/v1.4.0-!r!c1+incompatible.zip", kind: "zip", hash: HEX },
    { name: "example.org/x/~v_2/@v/v0.0.0-20240102030405-abcdefabcdef.zip", kind: "zip", hash: HEX },
  ]);
});

test("a line that is none, or whose name leads elsewhere, is nothing", () => {
  const names = [
    "../x",
    "a/../x",
    "/a",
    "a//b",
    "a/.",
    "...",
    "a\\b",
    "a?b",
    "a#b",
    "a%2f",
    "a@b",
    "ä",
    "a\0b",
    "x".repeat(400),
  ];
  for (const name of names) assert.deepEqual(parseGoSum(`${name} v1.0.0 ${HASH}`), [], name);
  for (const version of ["1.0.0", "v1", "v1.0.0/../x", "v1.0.0/go.sum", "v1.0.0?", "latest", ""])
    assert.deepEqual(parseGoSum(`example.org/a ${version} ${HASH}`), [], version);
  for (const hash of ["h1:short=", "h2:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=", "", `${HASH} more`])
    assert.deepEqual(parseGoSum(`example.org/a v1.0.0 ${hash}`), [], hash);
});

test("more lines than the largest programs have are left to the build", () => {
  const lines = Array.from({ length: 5_000 }, (_, number) => `example.org/a v1.0.${number} ${HASH}`);

  assert.equal(parseGoSum(lines.join("\n")).length, 4_000);
});

test("the go.sum is the one beside the package's go.mod", () => {
  const one = [{ name: "example.org/a/@v/v1.0.0.zip", kind: "zip", hash: HEX }];

  assert.deepEqual(moduleFilesOf(files(["go.mod", "go.sum"]), ""), one);
  assert.deepEqual(moduleFilesOf(files(["go.mod", "go.sum"]), "cmd/a"), one);
  assert.deepEqual(moduleFilesOf(files(["x/go.mod", "x/go.sum"]), "x/cmd"), one);
  assert.deepEqual(moduleFilesOf(files(["x/go.mod", "go.mod", "go.sum"]), "x/cmd"), []);
  assert.deepEqual(moduleFilesOf(files(["go.mod"]), ""), []);
});

test("where modules lie in vendor/, none is fetched", () => {
  assert.deepEqual(moduleFilesOf(files(["go.mod", "go.sum", "vendor/modules.txt"]), ""), []);
  assert.deepEqual(moduleFilesOf({ ...files(["go.mod"]), "go.sum": Buffer.alloc(5_000_000, LINE) }, ""), []);
});
