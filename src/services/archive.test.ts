import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PlatformError } from "../core/errors.ts";
import { unzip } from "./archive.ts";
import { type ZipEntry, zipOf } from "./zip.fixture.ts";

const MIB = 1024 * 1024;

async function refusal(archive: Buffer): Promise<PlatformError> {
  try {
    await unzip(archive);
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error));
    return error;
  }
  return assert.fail("it was taken");
}

suite("an archive", () => {
  test("gives its files by path, without folders and clutter", async () => {
    const files = await unzip(
      zipOf([
        { name: "lib/", content: "", unixMode: 0o040755 },
        { name: "lib/ünïcode.js", content: "export const é = 1;\n" },
        { name: "index.js", content: "\uFEFFreturn 1" },
        { name: "empty.txt", content: "" },
        { name: "__MACOSX/._index.js", content: Buffer.from([0xff, 0xfe]) },
        { name: "lib/.DS_Store", content: Buffer.from([0, 0xff]) },
      ]),
    );

    assert.deepEqual(files, { "lib/ünïcode.js": "export const é = 1;\n", "index.js": "return 1", "empty.txt": "" });
  });

  const wicked: readonly (readonly [string, readonly ZipEntry[], RegExp])[] = [
    ["climbs out", [{ name: "../../etc/cron.d/x", content: "x" }], /invalid relative path/],
    ["climbs out in the middle", [{ name: "a/../../x", content: "x" }], /invalid relative path/],
    ["names an absolute path", [{ name: "/etc/passwd", content: "x" }], /absolute path/],
    ["names a drive", [{ name: "C:/x", content: "x" }], /absolute path/],
    ["has a backslash in a name", [{ name: "a\\b", content: "x" }], /invalid characters in fileName/],
    ["has a NUL in a name", [{ name: "a\0.js", content: "x" }], /no path/],
    ["has a dot as a name", [{ name: "./a", content: "x" }], /no path/],
    ["has an empty name", [{ name: "a//b", content: "x" }], /no path/],
    ["names a prototype", [{ name: "__proto__", content: "x" }], /no path/],
    ["has a very long name", [{ name: "x".repeat(256), content: "x" }], /255 bytes at most/],
    ["has a symbolic link", [{ name: "a", content: "/etc/passwd", unixMode: 0o120777 }], /no plain file/],
    ["has a device", [{ name: "a", content: "", unixMode: 0o020666 }], /no plain file/],
    ["is encrypted", [{ name: "a", content: "x", encrypted: true }], /encrypted/],
    [
      "holds a name twice",
      [
        { name: "a", content: "1" },
        { name: "a", content: "2" },
      ],
      /two files "a"/,
    ],
    ["holds what is not text", [{ name: "a.png", content: Buffer.from([0x89, 0x50, 0xff]) }], /not text in UTF-8/],
    ["is damaged", [{ name: "a", content: "hello", claimedCrc: 1 }], /damaged/],
    ["holds less than it says", [{ name: "a", content: "hello", claimedBytes: 6 }], /not enough bytes/],
    ["holds more than it says", [{ name: "a", content: "hello hello", claimedBytes: 5 }], /too many bytes/],
    ["is packed like a bomb", [{ name: "a", content: Buffer.alloc(2 * MIB, "a") }], /200 to 1/],
  ];
  for (const [what, entries, message] of wicked) {
    test(`that ${what} is refused`, async () => {
      const { code, message: text } = await refusal(zipOf(entries));

      assert.equal(code, "INVALID_REQUEST");
      assert.match(text, message);
    });
  }

  test("that is a bomb by a lie about its size is refused after the bytes that it announced", async () => {
    const bomb = { name: "a", content: Buffer.alloc(60 * MIB), claimedBytes: 100 };

    assert.match((await refusal(zipOf([bomb]))).message, /too many bytes/);
  });

  test("that holds more than 50 MiB is refused by its directory alone", async () => {
    const entries = ["a", "b"].map((name) => ({ name, content: "x", claimedBytes: 26 * MIB }));
    const liar = { name: "a", content: "x", claimedBytes: 51 * MIB };

    assert.equal((await refusal(zipOf([liar]))).code, "CODE_TOO_LARGE");
    assert.match((await refusal(zipOf(entries))).message, /200 to 1/);
  });

  test("takes 1000 files and no more", async () => {
    const entries = Array.from({ length: 1000 }, (_, n) => ({ name: `f${n}.txt`, content: String(n) }));
    assert.equal(Object.keys(await unzip(zipOf(entries))).length, 1000);

    assert.match(
      (await refusal(zipOf([...entries, { name: "one-more", content: "" }]))).message,
      /more than 1000 files/,
    );
  });

  test("that is none is refused", async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from("PK but no zip"),
      zipOf([{ name: "a", content: "x" }]).subarray(0, 40),
    ]) {
      assert.match((await refusal(bytes)).message, /^archive: /);
    }
  });
});
