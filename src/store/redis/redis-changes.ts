// Each change has a number, and who hears of it knows the next one. A number that does not come is a message that was lost.
import { systemClock } from "../../core/clock.ts";
import type { RedisSettings } from "../../core/redis-settings.ts";
import type { Change, ChangeListener, Changes } from "../changes.ts";
import type { Keyspace } from "./keyspace.ts";
import type { MetaScripts } from "./meta-scripts.ts";
import { RedisConnection } from "./redis-connection.ts";

/** What this server has taken away itself: a reading that was on its way then may have brought it back. */
const OWN_TOO: ReadonlySet<string> = new Set(["removed", "version-removed", "keys", "sessions"]);
const POLL_MS = 2_000; // a lost message is noticed with the second poll after it

export class RedisChanges implements Changes {
  readonly #scripts: MetaScripts;
  readonly #ears: RedisConnection;
  readonly #keyspace: Keyspace;
  readonly #node: string;
  readonly #listeners = new Set<ChangeListener>();
  /** Up to which number every change is known. */
  #known = 0;
  /** What the counter was at the last poll: by the next one it must be known. */
  #expected = 0;
  /** Listeners that must be told of a gap. */
  readonly #behind = new Set<ChangeListener>();
  #stopPolling = (): void => {};

  /** @param node whose own changes are not told */
  static async open(settings: RedisSettings, scripts: MetaScripts, node: string): Promise<RedisChanges> {
    const ears = await RedisConnection.open(settings);
    const changes = new RedisChanges(scripts, ears, node);
    await ears.subscribe(scripts.keyspace.channel, (message) => changes.#hear(message));
    changes.#known = await changes.#count();
    changes.#expected = changes.#known;
    ears.onReady(() => void changes.#poll());
    changes.#stopPolling = systemClock.every(POLL_MS, () => void changes.#poll());
    return changes;
  }

  private constructor(scripts: MetaScripts, ears: RedisConnection, node: string) {
    this.#scripts = scripts;
    this.#ears = ears;
    this.#keyspace = scripts.keyspace;
    this.#node = node;
  }

  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#behind.delete(listener);
    };
  }

  async publish({ kind, id }: Change): Promise<void> {
    await this.#scripts.run("publish-change", kind, id);
  }

  async close(): Promise<void> {
    this.#stopPolling();
    this.#listeners.clear();
    this.#behind.clear();
    await this.#ears.close();
  }

  #hear(message: string): void {
    const match = /^(\d+) (\S+) (\S+) ([^]*)$/.exec(message);
    if (match === null) return;
    const [, number = "", node, kind = "", id = ""] = match;
    const isNext = Number(number) === this.#known + 1;
    this.#known = Number(number);
    if (!isNext) this.#missed();
    else if (node !== this.#node || OWN_TOO.has(kind)) {
      for (const listener of this.#listeners) void this.#tell(listener, () => listener.onChange({ kind, id }));
    }
  }

  async #poll(): Promise<void> {
    try {
      const known = this.#known; // by now: what comes while we ask is not in the answer
      const count = await this.#count();
      const isLost = known < this.#expected || known > count; // a counter that went back is another database
      if (isLost) {
        this.#known = count;
        this.#missed();
        this.#ears.renew(); // it may be dead without having been told
      }
      this.#expected = count;
    } catch {
      return; // the store is not there: what is in memory goes on, and the next poll looks again
    }
    for (const listener of this.#behind) {
      this.#behind.delete(listener);
      void this.#tell(listener, () => listener.onGap());
    }
  }

  #missed(): void {
    for (const listener of this.#listeners) void this.#tell(listener, () => listener.onGap());
  }

  async #tell(listener: ChangeListener, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch {
      if (this.#listeners.has(listener)) this.#behind.add(listener);
    }
  }

  async #count(): Promise<number> {
    return Number((await this.#scripts.connection.command("GET", `${this.#keyspace.meta}:changes`)) ?? 0);
  }
}
