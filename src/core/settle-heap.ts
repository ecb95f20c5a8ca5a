import { executionAsyncResource } from "node:async_hooks";
import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What Node made for one `process.nextTick`. */
let tick: object | undefined;

/**
 * Collects, within the next tick, what only the start of this thread has needed: 3 to 6 MB, in 20 ms. V8 by itself would wait
 * until there is as much again.
 *
 * It also keeps one of the objects that Node makes for each tick. Where a collection comes while there is none, V8 forgets their
 * shape, and Node makes them by a slower way for ever after: 1.7 µs more a call (bench/warm.ts). A server that rests is collected
 * so by V8 itself.
 */
export function settleHeap(): void {
  process.nextTick(() => {
    tick ??= executionAsyncResource();
    flushCompileCache(); // compiled code that has served its turn goes as well, and the next start is to find it
    setFlagsFromString("--expose-gc"); // of the whole process: the store's thread is through with it before it answers the server's
    const collect = runInNewContext("gc") as (options: { type: "major"; flavor: "last-resort" }) => void;
    setFlagsFromString("--no-expose-gc");
    collect({ type: "major", flavor: "last-resort" });
  });
}
