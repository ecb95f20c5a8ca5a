// Processes that a test file has left behind. With its output pipes in hand they would keep the run from ending, for ever.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { killQuietly } from "../src/sandbox/kill-quietly.ts";
import { readQuietly } from "../src/sandbox/read-quietly.ts";

const LOOK_MS = 50; // Node itself takes longer than that to start and end: no file is missed
/** From the end of a file to the look at what it has left: what is about to end may. */
const GRACE_LOOKS = 100;

/**
 * Watches the test files that this process runs, and ends what they leave.
 *
 * @param onLeft told the command line of each
 * @returns stops it
 */
export function watchLeftovers(onLeft) {
  /** Pid of a test file -> its pipes, and for how many looks it has been gone. */
  const files = new Map();
  const timer = setInterval(() => {
    const alive = new Set(readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean));
    for (const pid of alive) if (!files.has(pid)) files.set(pid, { pipes: pipesOf(pid), looksGone: 0 });
    for (const [pid, file] of files) {
      if (alive.has(pid) || ++file.looksGone < GRACE_LOOKS) continue;
      files.delete(pid);
      for (const left of holdersOf(file.pipes)) {
        onLeft(commandOf(left));
        killQuietly(Number(left));
      }
    }
  }, LOOK_MS);
  return () => clearInterval(timer);
}

function holdersOf(pipes) {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return processes.filter((pid) => pipesOf(pid).some((pipe) => pipes.includes(pipe)));
}

/** What stdout and stderr of a process are, as far as it is there and they are pipes. */
function pipesOf(pid) {
  return [1, 2].flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return /^(?:pipe|socket):/.test(target) ? [target] : [];
    } catch {
      return [];
    }
  });
}

function commandOf(pid) {
  return `${pid} ${readQuietly(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim()}`;
}
