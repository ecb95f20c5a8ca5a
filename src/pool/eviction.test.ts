import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { GreedyDual } from "./eviction.ts";

const MIB = 1024 * 1024;

function warm(...ids: readonly string[]): { versionId: string }[] {
  return ids.map((versionId) => ({ versionId }));
}

test("the version that is used least is given up", () => {
  const policy = new GreedyDual();
  for (const id of ["often", "rare", "often"]) policy.used(id, 50, MIB);

  assert.equal(policy.choose(warm("often", "rare"))?.versionId, "rare");
});

test("of two that are used alike, the one that boots faster is given up", () => {
  const policy = new GreedyDual();
  policy.used("slow to boot", 500, MIB);
  policy.used("fast to boot", 20, MIB);

  assert.equal(policy.choose(warm("slow to boot", "fast to boot"))?.versionId, "fast to boot");
});

test("of two that are used alike, the larger one is given up", () => {
  const policy = new GreedyDual();
  policy.used("small", 50, MIB);
  policy.used("large", 50, 100 * MIB);

  assert.equal(policy.choose(warm("small", "large"))?.versionId, "large");
});

test("what was popular once does not stay for ever", () => {
  const policy = new GreedyDual();
  for (let uses = 0; uses < 20; uses++) policy.used("old", 50, MIB);
  let evictions = 0;
  let victim: string | undefined;
  while (victim !== "old" && evictions < 100) {
    policy.used(`new ${evictions}`, 50, MIB);
    victim = policy.choose(warm("old", `new ${evictions}`))?.versionId;
    evictions++;
  }

  assert.equal(victim, "old");
  assert.ok(evictions >= 10, "popularity has bought it some time");
});

test("an evicted version that comes back is as popular as it was", () => {
  const policy = new GreedyDual();
  for (let uses = 0; uses < 5; uses++) policy.used("popular", 50, MIB);
  policy.choose(warm("popular"));
  policy.used("popular", 50, MIB);
  policy.used("other", 50, MIB);

  assert.equal(policy.choose(warm("popular", "other"))?.versionId, "other");
});

test("the choice is one of the candidates, and none only where there are none", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5)), fc.array(fc.nat(5)), (uses, candidates) => {
      const policy = new GreedyDual();
      for (const id of uses) policy.used(String(id), 50, MIB);
      const among = warm(...candidates.map(String));

      const chosen = policy.choose(among);

      assert.equal(chosen === undefined, among.length === 0);
      assert.ok(chosen === undefined || among.includes(chosen));
    }),
  );
});
