// The shared build cache: the compiled standard library, made once in a box of our own from nobody's code but Go's, and shown read-only to
// every build after that. Builds give it nothing back, so none can poison another one's.
import { createHash } from "node:crypto";
import { chmodSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeOpen, openSharedFolder } from "./shared-folder.ts";

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
  const dir = openSharedFolder({ ...options, path: [options.asRoot ? "go" : "go-cache", name] });
  return dir === undefined ? undefined : new GoCache(dir);
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
