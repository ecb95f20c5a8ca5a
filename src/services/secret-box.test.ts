import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { masterKey, SecretBox } from "./secret-box.ts";

const KEY = Buffer.alloc(32, 7);

function keyFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "cloche-test-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "master.key");
}

test("what was sealed opens again, and looks different every time", () => {
  const box = new SecretBox(KEY);
  const [one, two] = [box.seal("top secret ✓", "f/KEY"), box.seal("top secret ✓", "f/KEY")];

  assert.notEqual(one, two);
  assert.ok(!one.includes("secret"));
  assert.deepEqual([box.open(one, "f/KEY"), box.open(two, "f/KEY")], ["top secret ✓", "top secret ✓"]);
});

test("what was changed, moved to another place, or sealed with another key does not open", () => {
  const box = new SecretBox(KEY);
  const sealed = box.seal("top secret", "f/KEY");
  const bytes = Buffer.from(sealed.slice(3), "base64");
  bytes[15] = (bytes[15] ?? 0) ^ 1;

  assert.throws(() => box.open(`v1:${bytes.toString("base64")}`, "f/KEY"), { code: "INTERNAL" });
  assert.throws(() => box.open(sealed, "g/KEY"), { code: "INTERNAL" });
  assert.throws(() => new SecretBox(Buffer.alloc(32, 8)).open(sealed, "f/KEY"), { code: "INTERNAL" });
  for (const broken of ["", "v1:", "v1:AAAA", "plain text"]) {
    assert.throws(() => box.open(broken, "f/KEY"), { code: "INTERNAL" }, broken);
  }
});

test("the key is made once, in a file that only its owner can read", (t) => {
  const file = keyFile(t);
  const made = masterKey(undefined, file);

  assert.equal(made.length, 32);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(masterKey(undefined, file), made);
  chmodSync(file, 0o644);
  assert.throws(() => masterKey(undefined, file), /can be read by others: chown and chmod 600 it/);
});

test("a file that holds no key is refused and left as it is", (t) => {
  const file = keyFile(t);
  writeFileSync(file, "nonsense", { mode: 0o600 });

  assert.throws(() => masterKey(undefined, file), /64 hexadecimal digits/);
  assert.equal(readFileSync(file, "utf8"), "nonsense");
});

test("a setting is taken as hexadecimal, base64 or a passphrase, and no file is made", (t) => {
  const file = keyFile(t);

  assert.deepEqual(masterKey(KEY.toString("hex"), file), KEY);
  assert.deepEqual(masterKey(KEY.toString("base64"), file), KEY);
  assert.equal(masterKey("a passphrase of more than thirty-two characters", file).length, 32);
  assert.throws(() => statSync(file), { code: "ENOENT" });
});
