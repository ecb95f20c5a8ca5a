// Folders that every build box may read, and nobody but this server may write.
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** For servers that root runs: the boxes' users reach it, which cannot be said of a data folder. */
const NEUTRAL_DIR = "/var/cache/cloche";

/**
 * Makes the folder where it is not there yet; undefined where it cannot be made, or where others could write to it: whoever can decides
 * what everybody's programs contain.
 *
 * @param path names, one below the other
 */
export function openSharedFolder(options: {
  readonly path: readonly string[];
  readonly dataDir: string;
  readonly asRoot: boolean;
}): string | undefined {
  const { path, dataDir, asRoot } = options;
  const top = asRoot ? NEUTRAL_DIR : dataDir;
  const folder = join(top, ...path);
  const places = path.map((_, index) => join(top, ...path.slice(0, index + 1)));
  try {
    makeOpen(folder);
    for (const place of [...(asRoot ? [top] : []), ...places]) {
      const { uid, mode } = statSync(place);
      if (uid !== process.getuid?.() || (mode & 0o022) !== 0 || (mode & 0o001) === 0) return undefined;
    }
    return folder;
  } catch {
    return undefined; // a read-only machine
  }
}

/** Makes a folder that all may pass and read, whatever the server's umask, and those above it that are not there. */
export function makeOpen(folder: string): void {
  const first = mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = join(made, "..")) chmodSync(made, 0o755);
}
