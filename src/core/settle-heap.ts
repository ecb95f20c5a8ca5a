import { executionAsyncResource } from "node:async_hooks";
import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Clock, systemClock } from "./clock.ts";

const LOOK_MS = 2_000;
const QUIET_SHARE = 0.1; // of a core, all threads of the process together

/** What Node made for one `process.nextTick`. */
let tick: object | undefined;

/**
 * Collects what only the start of this thread has needed, 3 to 6 MB in 20 ms, once the process has nothing to do: the start itself, and
 * the calls that come right behind it, need the cores. V8 by itself would wait until there is as much again.
 *
 * It also keeps one of the objects that Node makes for each tick. Where a collection comes while there is none, V8 forgets their
 * shape, and Node makes them by a slower way for ever after: 1.7 µs more a call (bench/warm.ts). A server that rests is collected
 * so by V8 itself.
 */
export function settleHeapWhenQuiet(clock: Clock = systemClock): void {
  process.nextTick(() => {
    tick ??= executionAsyncResource();
    const collect = findCollector();
    let before = process.cpuUsage();
    const stop = clock.every(LOOK_MS, () => {
      const { user, system } = process.cpuUsage(before);
      before = process.cpuUsage();
      if ((user + system) / 1000 > LOOK_MS * QUIET_SHARE) return;
      stop();
      flushCompileCache(); // compiled code that has served its turn goes as well, and the next start is to find it
      collect({ type: "major", flavor: "last-resort" });
    });
  });
}

/** Within the next tick of the start: the flags are the whole process's, and the store's thread is through with them before it answers the server's. */
function findCollector(): (options: { type: "major"; flavor: "last-resort" }) => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as ReturnType<typeof findCollector>;
  setFlagsFromString("--no-expose-gc");
  return collect;
}
