// The folder of the boxes' sockets. Its name tells whose it is, so that the next server removes what a killed one left.
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isGone, ownMark } from "../process-mark.ts";

const PREFIX = "cloche-gate-";
/** A kernel's limit on the path of a unix socket, without the zero behind it. */
const MAX_SOCKET_PATH_BYTES = 107;
/** A slash, the socket's name, and `.new` while it is made. */
const NAME_BYTES = 21;

/** Makes the folder of this process. Other users may pass through it (their boxes' sockets are in it), but cannot list it. */
export function makeGateFolder(): string {
  sweepDeadGates();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${ownMark()}-`));
  if (Buffer.byteLength(folder) + NAME_BYTES > MAX_SOCKET_PATH_BYTES) {
    removeGateFolder(folder);
    throw new Error(`the folder for temporary files has too long a name for unix sockets: ${tmpdir()}`);
  }
  chmodSync(folder, 0o711);
  return folder;
}

export function removeGateFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function sweepDeadGates(): void {
  for (const name of readdirSync(tmpdir())) {
    const mark = new RegExp(`^${PREFIX}(\\d+-\\d+)-`).exec(name)?.[1] ?? "";
    if (!isGone(mark)) continue;
    try {
      removeGateFolder(join(tmpdir(), name));
    } catch {
      // Another user's; it is theirs to sweep.
    }
  }
}
