// The shared build cache: the compiled standard library, made once in a box of our own from nobody's code but Go's, and shown read-only to
// every build after that. Builds give it nothing back, so none can poison another one's.
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** For servers that root runs: the boxes' users reach it, which cannot be said of a data folder. */
const NEUTRAL_DIR = "/var/cache/cloche/go";
const ENTRY = /^[0-9a-f]{64}-[ad]$/;

export interface CachedEntry {
  /** As Go calls it: a SHA-256 and what it is. */
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The folder of the cache that fits a toolchain, made where it is not there yet; undefined where none can be: builds then compile what
 * they need of the standard library themselves, which takes seconds.
 *
 * @param key everything that decides what the entries are: version of Go, processor, flags
 */
export function openGoCache(options: {
  readonly key: readonly string[];
  readonly dataDir: string;
  readonly asRoot: boolean;
}): GoCache | undefined {
  const name = createHash("sha256").update(JSON.stringify(options.key)).digest("hex").slice(0, 16);
  const parent = options.asRoot ? NEUTRAL_DIR : join(options.dataDir, "go-cache");
  try {
    makeOpen(join(parent, name));
    // Whoever can write to it decides what everybody's programs contain; and the boxes' users must get there.
    for (const place of [...(options.asRoot ? [dirname(parent)] : []), parent, join(parent, name)]) {
      const { uid, mode } = statSync(place);
      if (uid !== process.getuid?.() || (mode & 0o022) !== 0 || (mode & 0o001) === 0) return undefined;
    }
    return new GoCache(join(parent, name));
  } catch {
    return undefined; // a read-only machine
  }
}

export class GoCache {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  has(target: string): boolean {
    return existsSync(join(this.dir, `primed-${target}`));
  }

  /** @throws Error on a name that is none of Go's, or a full disk */
  add({ name, content }: CachedEntry): void {
    if (!ENTRY.test(name)) throw new Error(`${JSON.stringify(name)} is no entry of a build cache`);
    const folder = join(this.dir, name.slice(0, 2));
    const file = join(folder, name);
    if (existsSync(file)) return;
    makeOpen(folder);
    const unfinished = join(this.dir, `.${process.pid}-${name}`);
    writeFileSync(unfinished, content);
    chmodSync(unfinished, 0o644);
    renameSync(unfinished, file); // a build never sees half an entry
  }

  complete(target: string): void {
    writeFileSync(join(this.dir, `primed-${target}`), "");
  }
}

/** Makes a folder that all may pass and read, whatever the server's umask, and those above it that are not there. */
function makeOpen(folder: string): void {
  const first = mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = join(made, "..")) chmodSync(made, 0o755);
}
