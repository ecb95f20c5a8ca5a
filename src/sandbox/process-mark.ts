// What a server leaves outside of itself (cgroups, folders) is named after it, so that the next one can sweep what a killed
// one left. A pid means something only in its pid namespace: a server in a container must not sweep those outside of it.
import { readFileSync, readlinkSync } from "node:fs";

/** `1234-4026531836`: this process, and its pid namespace. */
export function ownMark(pid = process.pid): string {
  const namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  return `${pid}-${namespace}`;
}

/** True where `mark` names a process that is surely gone: of another namespace's we cannot tell. */
export function isGone(mark: string): boolean {
  const pid = /^(\d+)-\d+$/.exec(mark)?.[1];
  return pid !== undefined && mark === ownMark(Number(pid)) && !exists(Number(pid));
}

function exists(pid: number): boolean {
  try {
    if (/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) return false; // dead, and not yet looked at by its parent
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's; a missing file means that it is gone
  }
}
