// Copies all that one store has into another, and reads it back: what was read here and there must be the same.
import { createHash, type Hash } from "node:crypto";
import type { Execution } from "../core/execution.ts";
import type { KvScope, Page, Store, StoredFunction, StoredVersion } from "./store.ts";

const PAGE = 500;
const BATCH = 200; // executions that are read at once
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** How many there were of a kind, and SHA-256 over all of them, hexadecimal. */
export interface Tally {
  readonly count: number;
  readonly hash: string;
}
/** By kind: functions, versions, and so on. */
export type Tallies = ReadonlyMap<string, Tally>;

interface KvItem {
  readonly key: string;
  readonly value: string;
  readonly expiresAtMs: number | undefined;
}

/**
 * Metrics are counted again from the executions that are there; those of executions that are long gone do not come along.
 * What has expired is left out.
 *
 * @param to must be empty
 * @param nowMs Unix milliseconds
 * @throws Error where `to` is not empty, or does not have the same in the end
 * @returns what was copied
 */
export async function copyStore(from: Store, to: Store, nowMs: number): Promise<Tallies> {
  await requireEmpty(to);
  const read = new Counter();
  const functions = await all((cursor) => from.listFunctions({ sort: "name", limit: PAGE, cursor }));
  for (const stored of functions) {
    await copyFunction(stored, { from, to, read, nowMs });
  }
  for await (const item of kvOf(from, "global", nowMs)) await copyKv(item, "global", { to, read, nowMs });
  for await (const batch of executionsOf(from)) {
    for (const execution of batch) read.add("executions", execution);
    await to.appendExecutions(batch);
  }
  const written = new Counter();
  // Before the functions' own rules are in force: they may remove some at once.
  for await (const batch of executionsOf(to)) for (const execution of batch) written.add("executions", execution);
  for (const { id, settings, updatedAtMs } of functions) {
    await to.updateFunction(id, { settings, nowMs: updatedAtMs });
  }
  for (const key of await from.listKeys()) {
    read.add("keys", key);
    await to.addKey(key);
  }
  for (const session of await sessionsOf(from, nowMs)) {
    read.add("sessions", session);
    await to.addSession(session);
  }

  for (const stored of functions) read.add("functions", stored);
  await readBack(to, written, nowMs);
  return requireSame(read.tallies, written.tallies);
}

async function copyFunction(
  stored: StoredFunction,
  { from, to, read, nowMs }: { from: Store; to: Store; read: Counter; nowMs: number },
): Promise<void> {
  const { id, name, settings, createdAtMs, activeVersion } = stored;
  const untilLater = { ...settings, retentionCount: undefined, retentionDays: undefined };
  await to.createFunction({ id, name, settings: untilLater, nowMs: createdAtMs });
  for await (const version of versionsOf(from, id)) {
    read.add("versions", version);
    await copyVersion(version, from, to);
  }
  if (activeVersion !== undefined) await to.activateVersion(id, activeVersion, createdAtMs);
  for (const alias of await from.listAliases(id)) {
    read.add("aliases", { id, ...alias });
    await to.putAlias(id, alias, createdAtMs);
  }
  for (const variable of await from.listVariables(id)) {
    read.add("variables", { id, ...variable });
    await to.putVariable(id, variable, createdAtMs);
  }
  for await (const item of kvOf(from, { functionId: id }, nowMs)) {
    await copyKv(item, { functionId: id }, { to, read, nowMs });
  }
}

async function copyVersion(version: StoredVersion, from: Store, to: Store): Promise<void> {
  const { functionName, language, source, entry, files, mode, upload, style, egress, createdBy, number } = version;
  const artifacts: { native?: Buffer; wasm?: Buffer } = {};
  for (const kind of ["native", "wasm"] as const) {
    const hash = version.artifacts[kind]?.hash;
    const bytes = hash === undefined ? undefined : await from.findBlob(hash);
    if (bytes !== undefined) artifacts[kind] = bytes;
  }
  const { version: copy } = await to.addVersion({
    ...{ functionName, language, source, entry, files, artifacts, mode, upload, style, egress, createdBy, number },
    nowMs: version.createdAtMs,
    activate: false,
  });
  if (copy.number !== number) throw new Error(`version ${number} of "${functionName}" has become ${copy.number}`);
}

async function copyKv(
  item: KvItem,
  scope: KvScope,
  { to, read, nowMs }: { to: Store; read: Counter; nowMs: number },
): Promise<void> {
  read.add("keys and values", { scope, ...item });
  await to.kvChange(scope, { kind: "set", ...item }, NO_LIMIT, nowMs);
}

/** All but executions, in the order in which it was copied. */
async function readBack(store: Store, written: Counter, nowMs: number): Promise<void> {
  const functions = await all((cursor) => store.listFunctions({ sort: "name", limit: PAGE, cursor }));
  for (const stored of functions) {
    const { id } = stored;
    written.add("functions", stored);
    for await (const version of versionsOf(store, id)) {
      written.add("versions", version);
      for (const { hash } of Object.values(version.artifacts)) {
        const bytes = await store.findBlob(hash);
        const found = createHash("sha256")
          .update(bytes ?? "")
          .digest("hex");
        if (found !== hash) throw new Error(`a program of "${stored.name}" is not what it was: ${hash}`);
      }
    }
    for (const alias of await store.listAliases(id)) written.add("aliases", { id, ...alias });
    for (const variable of await store.listVariables(id)) written.add("variables", { id, ...variable });
    const scope = { functionId: id };
    for await (const item of kvOf(store, scope, nowMs)) written.add("keys and values", { scope, ...item });
  }
  for await (const item of kvOf(store, "global", nowMs)) written.add("keys and values", { scope: "global", ...item });
  for (const key of await store.listKeys()) written.add("keys", key);
  for (const session of await sessionsOf(store, nowMs)) written.add("sessions", session);
}

async function requireEmpty(store: Store): Promise<void> {
  const [functions, executions, shared, keys] = await Promise.all([
    store.listFunctions({ sort: "name", limit: 1 }),
    store.listExecutions({ limit: 1 }),
    store.kvList("global", { limit: 1, nowMs: 0 }),
    store.listKeys(),
  ]);
  const found = [
    ...(functions.items.length > 0 ? ["functions"] : []),
    ...(executions.items.length > 0 ? ["executions"] : []),
    ...(shared.items.length > 0 ? ["keys and values"] : []),
    ...(keys.length > 0 ? ["keys"] : []),
  ];
  if (found.length > 0) throw new Error(`the store to copy to is not empty: it has ${found.join(", ")}`);
}

function requireSame(read: Tallies, written: Tallies): Tallies {
  for (const kind of new Set([...read.keys(), ...written.keys()])) {
    const [before, after] = [read.get(kind), written.get(kind)];
    if (before?.hash === after?.hash) continue;
    throw new Error(
      `${kind}: ${before?.count ?? 0} were read, ${after?.count ?? 0} are there, and they are not the same`,
    );
  }
  return read;
}

async function sessionsOf(store: Store, nowMs: number) {
  return (await store.listSessions(nowMs)).toSorted((a, b) => (a.hash < b.hash ? -1 : 1));
}

/** The oldest first: numbers only grow. */
async function* versionsOf(store: Store, functionId: string): AsyncGenerator<StoredVersion> {
  const summaries = await all((cursor) => store.listVersions(functionId, { limit: PAGE, cursor }));
  for (const { number } of summaries.toReversed()) {
    const version = await store.findVersion(functionId, number);
    if (version !== undefined) yield version;
  }
}

async function* kvOf(store: Store, scope: KvScope, nowMs: number): AsyncGenerator<KvItem> {
  let cursor: string | undefined;
  do {
    const page = await store.kvList(scope, { limit: PAGE, cursor, nowMs });
    yield* page.items;
    ({ cursor } = page);
  } while (cursor !== undefined);
}

/** The first appended first. */
async function* executionsOf(store: Store): AsyncGenerator<Execution[]> {
  const ids = (await all((cursor) => store.listExecutions({ limit: 10 * PAGE, cursor })))
    .map(({ id }) => id)
    .toReversed();
  for (let at = 0; at < ids.length; at += BATCH) {
    const found = await Promise.all(ids.slice(at, at + BATCH).map((id) => store.findExecution(id)));
    yield found.filter((execution) => execution !== undefined);
  }
}

async function all<Item>(list: (cursor: string | undefined) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    items.push(...page.items);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return items;
}

class Counter {
  readonly #kinds = new Map<string, { count: number; readonly hash: Hash }>();

  add(kind: string, item: object): void {
    let known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, (known = { count: 0, hash: createHash("sha256") }));
    known.count++;
    known.hash.update(`${canonical(item)}\n`);
  }

  get tallies(): Tallies {
    return new Map(
      [...this.#kinds].map(([kind, { count, hash }]) => [kind, { count, hash: hash.copy().digest("hex") }]),
    );
  }
}

/** JSON with its names in order, and without those that are undefined. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
