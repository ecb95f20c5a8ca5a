// The shared module cache: files of module proxies, each under the hash that a go.sum has for it. What lies under a name is decided by that
// name alone, so no upload, and no proxy either, can give another upload anything but what its own go.sum asks for.
import { randomUUID } from "node:crypto";
import { chmodSync } from "node:fs";
import { readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import type { ModuleFile } from "./go-sum.ts";
import { openSharedFolder } from "./shared-folder.ts";

/** Some hundred programs' modules; those of one program have some ten MiB. */
const MAX_BYTES = 2_147_483_648;
/** How exactly it is known when something was last used. */
const USE_STEP_MS = 3_600_000;
/** No write takes as long. */
const UNFINISHED_MS = 3_600_000;
/** Names are hashes: who cannot list them needs a go.sum to find them, so a box sees nothing of what others build with. */
const PASS_ONLY = 0o711;

/** Undefined where there is no place for it: builds then fetch what they need themselves, each time. */
export function openModuleCache(options: {
  readonly dataDir: string;
  readonly asRoot: boolean;
  readonly clock: Clock;
  readonly maxBytes?: number;
}): ModuleCache | undefined {
  const dir = openSharedFolder({ ...options, path: ["go-modules"] });
  if (dir === undefined) return undefined;
  chmodSync(dir, PASS_ONLY);
  return new ModuleCache(dir, options.clock, options.maxBytes ?? MAX_BYTES);
}

/** The name of a module file's content in the folder. */
export function cachedName({ hash, kind }: ModuleFile): string {
  return `${hash}.${kind}`;
}

export class ModuleCache {
  readonly dir: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  #pruning = Promise.resolve();

  constructor(dir: string, clock: Clock, maxBytes: number) {
    this.dir = dir;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** Whether it is there; if so, it counts as used. */
  async use(file: ModuleFile): Promise<boolean> {
    const path = join(this.dir, cachedName(file));
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return false;
    const now = this.#clock.now();
    if (now - found.mtimeMs > USE_STEP_MS) await utimes(path, now / 1000, now / 1000).catch(() => {});
    return true;
  }

  /**
   * Keeps what has been found to have the hash, and throws away what was not used for longest where there is too much.
   *
   * @throws Error of the file system
   */
  async add(file: ModuleFile, content: Buffer): Promise<void> {
    const unfinished = join(this.dir, `.${randomUUID()}`);
    try {
      await writeFile(unfinished, content, { flush: true }); // a machine that loses power must not keep half of it
      chmodSync(unfinished, 0o644);
      await rename(unfinished, join(this.dir, cachedName(file)));
    } finally {
      await rm(unfinished, { force: true });
    }
    this.#pruning = this.#pruning.then(() => this.#prune()).catch(() => {});
    await this.#pruning;
  }

  /** A build that has been promised one of these fetches it itself. */
  async #prune(): Promise<void> {
    const startedBefore = this.#clock.now() - UNFINISHED_MS;
    const files: { readonly path: string; readonly size: number; readonly mtimeMs: number }[] = [];
    for (const name of await readdir(this.dir)) {
      const path = join(this.dir, name);
      const { size = 0, mtimeMs = 0 } = (await stat(path).catch(() => undefined)) ?? {};
      if (!name.startsWith(".")) files.push({ path, size, mtimeMs });
      else if (mtimeMs < startedBefore) await rm(path, { force: true }); // of a server that has died
    }
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files.toSorted((one, other) => one.mtimeMs - other.mtimeMs)) {
      if (bytes <= this.#maxBytes) return;
      await rm(path, { force: true });
      bytes -= size;
    }
  }
}
