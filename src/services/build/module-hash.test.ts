import assert from "node:assert/strict";
import { test } from "node:test";
import { type ZipEntry, zipOf } from "../zip.fixture.ts";
import { hashOfMod, hashOfZip } from "./module-hash.ts";

const LIMITS = { files: 3, bytes: 1_048_576 };
const FILES: readonly ZipEntry[] = [
  { name: "example.org/a@v1.0.0/go.mod", content: "module example.org/a\n" },
  { name: "example.org/a@v1.0.0/a.go", content: "package a\n" },
];

test("the hash of a go.mod is the one that the world's checksum database has", () => {
  const content = Buffer.from('module "rsc.io/quote"\n\nrequire "rsc.io/sampler" v1.3.0\n');

  // rsc.io/quote v1.5.2/go.mod h1:…
  assert.equal(
    Buffer.from(hashOfMod(content), "hex").toString("base64"),
    "LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=",
  );
});

test("the hash of an archive is its files', in whatever order and however packed", async () => {
  const hash = await hashOfZip(zipOf(FILES), LIMITS);
  const changed = FILES.map((file) => ({ ...file, content: `${String(file.content)} ` }));

  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(await hashOfZip(zipOf(FILES.toReversed()), LIMITS), hash);
  assert.notEqual(await hashOfZip(zipOf(changed), LIMITS), hash);
});

const [first] = FILES;
const WICKED: readonly (readonly [what: string, archive: Buffer, why: RegExp])[] = [
  [
    "has too many files",
    zipOf(Array.from({ length: 4 }, (_, name) => ({ name: `${name}`, content: "" }))),
    /more than 3/,
  ],
  ["is a bomb", zipOf([{ name: "a", content: Buffer.alloc(16_777_216) }]), /unpacks to more than 1048576 bytes/],
  [
    "is a bomb that hides its size",
    zipOf([{ name: "a", content: Buffer.alloc(16_777_216), claimedBytes: 1 }]),
    /bytes/,
  ],
  ["has a file twice", zipOf([...FILES, ...(first === undefined ? [] : [first])]), /two files of one name/],
  ["is damaged", zipOf([{ name: "a", content: "x", claimedCrc: 1 }]), /damaged/],
  ["leads out", zipOf([{ name: "../a", content: "x" }]), /relative path/],
  ["is encrypted", zipOf([{ name: "a", content: "x", encrypted: true }]), /encrypted/],
  ["is cut off", zipOf(FILES).subarray(0, -10), /end of central directory/i],
  ["is none", Buffer.from("hello"), /end of central directory/i],
  ["is empty", Buffer.alloc(0), /end of central directory/i],
];
for (const [what, archive, why] of WICKED) {
  test(`an archive that ${what} has no hash`, async () => {
    await assert.rejects(hashOfZip(archive, LIMITS), why);
  });
}
