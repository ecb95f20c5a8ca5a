// Inputs and outputs of Go's standard library, from the tables of Go's own tests (BSD-3): what the modules must do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { WorkerUnderTest } from "./worker-under-test.ts";

interface Vector {
  readonly m: string;
  readonly f: string;
  readonly args: readonly unknown[];
  readonly want: unknown;
  /** The call must give nil and a message. */
  readonly err: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL("fixtures/api-vectors.json", import.meta.url), "utf8"),
  // A long text of one letter stands there as the letter and how often it comes.
  (_, value: unknown) =>
    typeof value === "object" && value !== null && "repeat" in value && "times" in value
      ? String(value.repeat).repeat(Number(value.times))
      : value,
) as readonly Vector[];

// What the script does to its own libraries must not matter to our modules.
const CALL = `
for name in pairs(string) do string[name] = function() return "spoilt" end end
for name in pairs(table) do table[name] = nil end
local value, message = _G[event.m][event.f](unpack(event.args))
return { value = value, message = message }`;

const named = new Map<string, Vector[]>();
for (const vector of vectors) {
  const name = `${vector.m}.${vector.f}`;
  named.set(name, [...(named.get(name) ?? []), vector]);
}

test("there are vectors for all of the five modules", () => {
  assert.equal(vectors.length, 316);
  assert.deepEqual([...new Set(vectors.map(({ m }) => m))].sort(), ["base64", "crypto", "strings", "time", "url"]);
});

for (const [name, cases] of named) {
  test(`${name} does what Go does, in ${cases.length} cases`, async (t) => {
    const worker = new WorkerUnderTest(t);
    worker.bind(CALL);

    for (const vector of cases) {
      const { end } = await worker.run(JSON.stringify(vector));

      const answer = JSON.parse(end.body) as { value?: unknown; message?: unknown };
      const what = JSON.stringify(vector.args).slice(0, 200);
      if (vector.err) assert.match(String(answer.message), /\w/, what);
      else assert.deepEqual(answer, { value: vector.want }, what);
      assert.equal(answer.value === undefined, vector.err, what);
    }
  });
}
