import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8 from making objects old that live for one call only. Where it believes a kind of object to live long, it makes the next ones of
 * that kind in the old generation ("pretenuring"); each of these holds on to its whole call until the next full collection, so that
 * everything seems to live long from then on: collections of 20 ms instead of 1 (bench/functions.ts).
 *
 * To be called when the code is loaded: code that was compiled under other flags is compiled anew, Node's own, too.
 */
export function keepShortLivedYoung(): void {
  flushCompileCache(); // what it holds is read under the flags of the start
  setFlagsFromString("--no-allocation-site-pretenuring");
}
