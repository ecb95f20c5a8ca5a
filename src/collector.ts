import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Keeps V8 from making objects old that live for one call only. Where it believes a kind of object to live long, it makes the next ones of
 * that kind in the old generation ("pretenuring"); each of these holds on to its whole call until the next full collection, so that
 * everything seems to live long from then on: collections of 20 ms instead of 1 (bench/warm.ts, P1 and P2 of `/fn`).
 *
 * To be called when the code is loaded: code that was compiled under other flags is compiled anew, Node's own, too.
 */
export function keepShortLivedYoung(): void {
  flushCompileCache(); // what it holds is read under the flags of the start
  setFlagsFromString("--no-allocation-site-pretenuring");
}

/** Collects what only the start has needed: 6 MB in 30 ms. V8 would leave it until there is as much again. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: {
    readonly type: "major";
    readonly flavor: "last-resort";
  }) => void;
  setFlagsFromString("--no-expose-gc");
  collect({ type: "major", flavor: "last-resort" });
}
