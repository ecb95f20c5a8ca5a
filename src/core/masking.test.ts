import assert from "node:assert/strict";
import { test } from "node:test";
import { maskedByName, maskedFields, maskOf } from "./masking.ts";

test("every occurrence of a secret is masked, the longer one first", () => {
  const mask = maskOf(["hunter2", "hunter2-and-more"]);

  assert.equal(mask?.("a hunter2-and-more, hunter2."), "a ***, ***.");
  assert.equal(mask?.("nothing here"), "nothing here");
});

test("a secret of some characters would mask everything, so it is not masked", () => {
  assert.equal(maskOf(["abc", ""]), undefined);
});

test("values are masked where their name says that they open something", () => {
  for (const name of [
    "Authorization",
    "cookie",
    "Set-Cookie",
    "X-Api-Key",
    "apikey",
    "my_secret",
    "password",
    "token",
  ]) {
    assert.equal(maskedByName(name, "v"), "***", name);
  }
  for (const name of ["accept", "content-type", "x-request-id", "name"])
    assert.equal(maskedByName(name, "v"), "v", name);
});

test("fields are masked at any depth, and nothing else is touched", () => {
  const value = {
    user: "ann",
    password: "p",
    nested: [{ accessToken: "t", n: 1, list: [true, null] }],
    token: { kept: 1 },
  };

  assert.deepEqual(maskedFields(value), {
    user: "ann",
    password: "***",
    nested: [{ accessToken: "***", n: 1, list: [true, null] }],
    token: { kept: 1 },
  });
});
