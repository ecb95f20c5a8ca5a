import { closeSync, readdirSync, readFileSync } from "node:fs";

const O_CLOEXEC = 0o2000000;

/**
 * Closes every descriptor beyond stderr that a started program would inherit. The server may have been given open files by whoever started
 * it; Node marks only its own and the lowest ones. In a sandbox such a descriptor is a door to the host (CVE-2024-21626).
 */
export function closeInheritedDescriptors(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd > 2 && wouldBeInherited(fd)) closeSync(fd);
  }
}

function wouldBeInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "";
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    return false; // closed meanwhile: it was the listing's own
  }
}
