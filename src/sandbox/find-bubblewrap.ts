import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

const PLACES = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];
const OLDEST = "0.7.0"; // has --size
const SETUID = 0o4000;

export interface Bubblewrap {
  readonly path: string;
  /** As it names itself, e.g. `0.8.0`. */
  readonly version: string;
}

/** Throws with the way to install it where it is missing, and where it is setuid root: that mode has been an escape before. */
export function findBubblewrap(): Bubblewrap {
  const path = PLACES.find((place) => existsSync(place));
  if (path === undefined) {
    throw new Error(
      "bubblewrap is not installed. Debian, Ubuntu: apt-get install bubblewrap. Fedora: dnf install bubblewrap. " +
        "Arch: pacman -S bubblewrap. Alpine: apk add bubblewrap",
    );
  }
  if ((statSync(path).mode & SETUID) !== 0) {
    throw new Error(`${path} is setuid root (see CVE-2026-41163); remove the bit: chmod u-s ${path}`);
  }
  const version = execFileSync(path, ["--version"], { encoding: "utf8", env: {} })
    .trim()
    .replace(/^bubblewrap /, "");
  if (isOlder(version, OLDEST)) {
    throw new Error(`${path} is bubblewrap ${version}; ${OLDEST} or newer is needed, to bound the size of /tmp`);
  }
  return { path, version };
}

/** Both as `major.minor.patch`. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number));
  for (const [place, wanted] of (b ?? []).entries()) {
    const found = a?.[place] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}
