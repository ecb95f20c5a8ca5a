import { PlatformError } from "../../core/errors.ts";
import type { StoredKey, StoredSession } from "../store.ts";
import type { MetaScripts } from "./meta-scripts.ts";

/** Keys, and browsers that have logged in. */
export class AccessRecords {
  readonly #scripts: MetaScripts;

  constructor(scripts: MetaScripts) {
    this.#scripts = scripts;
  }

  async addKey({ id, name, scope, hash, hint, createdAtMs }: StoredKey): Promise<void> {
    const stored: StoredKey = { id, name: name.toWellFormed(), scope, hash, hint, createdAtMs };
    if ((await this.#scripts.run("add-key", id, JSON.stringify(stored))) === 1) return;
    throw new PlatformError("STORE_UNAVAILABLE", `there is a key ${id} already`);
  }

  async listKeys(): Promise<StoredKey[]> {
    const { connection, keyspace } = this.#scripts;
    const keys = ((await connection.command("HVALS", `${keyspace.meta}:keys`)) as string[]).map(
      (stored) => JSON.parse(stored) as StoredKey,
    );
    return keys.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  }

  async removeKey(id: string): Promise<boolean> {
    return (await this.#scripts.run("remove-key", id)) === 1;
  }

  async addSession(session: StoredSession): Promise<void> {
    await this.#scripts.run("add-session", session.hash, JSON.stringify(session));
  }

  async listSessions(nowMs: number): Promise<StoredSession[]> {
    const stored = (await this.#scripts.run("list-sessions", nowMs)) as string[];
    return stored.map((text) => {
      const { hash, keyId, scope, expiresAtMs } = JSON.parse(text) as StoredSession;
      return { hash, keyId, scope, expiresAtMs };
    });
  }

  async removeSession(hash: string): Promise<boolean> {
    return (await this.#scripts.run("remove-session", hash)) === 1;
  }
}
