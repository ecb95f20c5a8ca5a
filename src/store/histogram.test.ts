import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Histogram } from "./histogram.ts";

const anyTime = fc.double({ min: -2.9, max: 8, noNaN: true }).map((exponent) => 10 ** exponent); // 1 us to 28 hours

test("a share's time is within 5 % of the exact one, also of histograms that were written and added up", () => {
  fc.assert(
    fc.property(fc.array(anyTime, { minLength: 1 }), fc.nat(), (times, cutAt) => {
      const cut = cutAt % (times.length + 1);
      const sum = new Histogram();
      for (const part of [times.slice(0, cut), times.slice(cut)]) {
        const histogram = new Histogram();
        for (const ms of part) histogram.add(ms);
        sum.addEncoded(histogram.encode());
      }
      const shares = [0, 0.5, 0.95, 0.99, 1];

      const found = sum.quantilesMs(shares);

      const sorted = times.toSorted((a, b) => a - b);
      for (const [index, share] of shares.entries()) {
        const exact = sorted[Math.max(0, Math.ceil(share * times.length) - 1)] ?? Number.NaN;
        assert.ok(Math.abs((found[index] ?? Number.NaN) / exact - 1) <= 0.05, `${found[index]} for ${exact}`);
      }
    }),
  );
});

test("no time at all is no time, and the longest is not lost", () => {
  const histogram = new Histogram();
  assert.deepEqual(histogram.quantilesMs([0.5]), [undefined]);

  histogram.add(0);
  histogram.add(Number.MAX_VALUE);

  const [shortest, longest] = histogram.quantilesMs([0.5, 1]);
  assert.equal(shortest, 0);
  assert.ok((longest ?? 0) > 1e9);
});

test("a minute of equal times takes a few bytes, however many there were", () => {
  const histogram = new Histogram();
  for (let n = 0; n < 100_000; n++) histogram.add(1.5);

  assert.ok(histogram.encode().length <= 5);
});
