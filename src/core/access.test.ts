import assert from "node:assert/strict";
import { test } from "node:test";
import { grants, SCOPES } from "./access.ts";

test("each scope grants what its name says, and nothing above it", () => {
  const granted = Object.fromEntries(SCOPES.map((held) => [held, SCOPES.filter((needed) => grants(held, needed))]));

  assert.deepEqual(granted, {
    admin: ["admin", "deploy", "invoke", "read"],
    deploy: ["deploy", "invoke", "read"],
    invoke: ["invoke"],
    read: ["read"],
  });
});
