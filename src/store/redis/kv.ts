import { afterPrefix } from "../byte-order.ts";
import { type KvEntry, kvStep } from "../kv-change.ts";
import { decodeCursor, pageOf, wholeLimit } from "../../core/cursor.ts";
import type { KvChange, KvResult, KvScope, Page, Store } from "../store.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Argument, RedisConnection } from "./redis-connection.ts";

/** Keys and values of functions, and those that all share. */
export class KvRecords {
  readonly #connection: RedisConnection;
  readonly #keyspace: Keyspace;

  constructor(connection: RedisConnection, keyspace: Keyspace) {
    this.#connection = connection;
    this.#keyspace = keyspace;
  }

  async get(scope: KvScope, key: string, nowMs: number): Promise<string | undefined> {
    const value = await this.#connection.run("kv-get", this.#keyspace.kv(scope), [nowMs, key]);
    return typeof value === "string" ? value : undefined;
  }

  async change(scope: KvScope, change: KvChange, limitBytes: number, nowMs: number): Promise<KvResult> {
    for (;;) {
      const args = [nowMs, limitBytes, scope === "global" ? "global" : "function", ...wordsOf(change)];
      const reply = await this.#connection.run("kv-change", this.#keyspace.kv(scope), args);
      const [end, applied, value] = reply as [string, number | string | null, string | null];
      if (end === "full") return { ok: false, why: "full" };
      if (end === "ok") return { ok: true, applied: applied === 1, value: value ?? undefined };
      // A sum that Lua cannot write as JavaScript does: it is worked out here, and holds if nothing has changed meanwhile.
      const before: KvEntry | undefined =
        typeof applied === "string" ? { value: applied, expiresAtMs: undefined } : undefined;
      const step = kvStep(change, before);
      if (step.kind !== "put") return { ok: false, why: "not-a-number" };
      const swap: KvChange = { kind: "cas", key: change.key, old: before?.value, next: step.entry.value };
      const swapped = await this.change(scope, swap, limitBytes, nowMs);
      if (!swapped.ok || swapped.applied) return swapped;
    }
  }

  async list(
    scope: KvScope,
    query: Parameters<Store["kvList"]>[1],
  ): Promise<Page<{ readonly key: string; readonly value: string; readonly expiresAtMs: number | undefined }>> {
    const limit = wholeLimit(query.limit);
    const place = query.cursor === undefined ? [""] : decodeCursor(query.cursor, [""] as const);
    if (place === undefined || limit === 0) return { items: [], cursor: undefined };
    const prefix = Buffer.from(query.prefix ?? "");
    const after = query.cursor === undefined ? undefined : Buffer.from(place[0] ?? "", "base64");
    const from = after !== undefined && Buffer.compare(after, prefix) >= 0 ? marked("(", after) : marked("[", prefix);
    const end = afterPrefix(prefix);
    const to = end === undefined ? "+" : marked("(", end);
    const reply = await this.#connection.run("kv-list", this.#keyspace.kv(scope), [query.nowMs, from, to, limit + 1]);
    const items = (reply as [string, string, string | null][]).map(([key, value, expiresAtMs]) => ({
      key,
      value,
      expiresAtMs: expiresAtMs === null ? undefined : Number(expiresAtMs),
    }));
    return pageOf(items, limit, (item) => [Buffer.from(item.key).toString("base64")]);
  }

  /** Removes all of a deleted function. */
  async clear(functionId: string): Promise<void> {
    const key = this.#keyspace.kv({ functionId });
    await this.#connection.command("UNLINK", ...["alive", "v", "k", "x", "b"].map((part) => `${key}:${part}`));
  }
}

function wordsOf(change: KvChange): Argument[] {
  const { kind, key } = change;
  switch (change.kind) {
    case "set":
      return [kind, key, change.value, change.expiresAtMs ?? ""];
    case "delete":
      return [kind, key];
    case "incr":
      return [kind, key, change.by];
    case "cas":
      return [kind, key, ...orNothing(change.old), ...orNothing(change.next)];
  }
}

function orNothing(value: string | undefined): [string, string] {
  return value === undefined ? ["0", ""] : ["1", value];
}

function marked(mark: string, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(mark), bytes]);
}
