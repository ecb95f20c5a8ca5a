// What functions may ask the platform for while they run: docs/wire-protocol.md, "Calls". All of it comes from user code.
import { PlatformError } from "../core/errors.ts";
import { parseKeepingDigits } from "../core/json-text.ts";
import type { Version, VersionOwner } from "../core/program.ts";
import type { KvScope } from "../store/store.ts";
import { KV_LIMITS, type Kv } from "./kv.ts";
import type { Variables } from "./variables.ts";

const MAX_ALL_BYTES = 8 * 1024 * 1024;

export interface Caller {
  readonly version: Version;
  readonly executionId: string;
}

type Arguments = Readonly<Record<string, unknown>>;
type Call = (caller: Caller, given: Arguments) => Promise<string>;

/** Calls that go beyond the store: to the network. */
export type OutboundCalls = Readonly<Record<string, Call>>;

export class Capabilities {
  readonly #calls: ReadonlyMap<string, Call>;
  readonly #kv: Kv;

  constructor(deps: { kv: Kv; variables: Variables; outbound: OutboundCalls }) {
    const { kv, variables } = deps;
    this.#kv = kv;
    const calls: Readonly<Record<string, Call>> = {
      "kv.get": async (caller, given) => field("value", await kv.get(scopeOf(caller, given), text(given, "key"))),
      "kv.set": async (caller, given) => {
        const ttlMs = given["ttlMs"] === undefined ? undefined : number(given, "ttlMs");
        await kv.set(scopeOf(caller, given), text(given, "key"), json(given, "value"), ttlMs);
        return "{}";
      },
      "kv.delete": async (caller, given) =>
        `{"deleted":${await kv.delete(scopeOf(caller, given), text(given, "key"))}}`,
      "kv.incr": async (caller, given) => {
        const by = given["by"] === undefined ? 1 : number(given, "by");
        return `{"value":${await kv.incr(scopeOf(caller, given), text(given, "key"), by)}}`;
      },
      "kv.cas": async (caller, given) => {
        const old = given["old"] === undefined ? undefined : json(given, "old");
        const next = given["new"] === undefined ? undefined : json(given, "new");
        return `{"swapped":${await kv.cas(scopeOf(caller, given), text(given, "key"), old, next)}}`;
      },
      "kv.list": async (caller, given) => {
        const limit = given["limit"] === undefined ? KV_LIMITS.listEntries : number(given, "limit");
        const query = { prefix: optionalText(given, "prefix"), cursor: optionalText(given, "cursor"), limit };
        const { items, cursor } = await kv.list(scopeOf(caller, given), query);
        return JSON.stringify({ keys: items.map(({ key }) => key), cursor });
      },
      "kv.all": async (caller, given) => await this.#all(scopeOf(caller, given), optionalText(given, "prefix")),
      "env.get": async ({ version }, given) => {
        const { env } = await variables.load(ownerOf(version).id);
        const name = text(given, "name");
        return JSON.stringify({ value: Object.hasOwn(env, name) ? env[name] : undefined });
      },
      "env.set": async ({ version }, given) => {
        await variables.put(ownerOf(version).id, text(given, "name"), text(given, "value"));
        return "{}";
      },
      "env.delete": async ({ version }, given) =>
        `{"deleted":${await variables.remove(ownerOf(version).id, text(given, "name"), false)}}`,
      ...deps.outbound,
    };
    this.#calls = new Map(Object.entries(calls));
  }

  /** Takes and gives JSON text. Rejects with PlatformError. */
  async call(caller: Caller, name: string, given: string): Promise<string> {
    const call = this.#calls.get(name);
    if (call === undefined) throw new PlatformError("INVALID_REQUEST", `there is no call ${JSON.stringify(name)}`);
    return await call(caller, parseArguments(given));
  }

  async #all(scope: KvScope, prefix: string | undefined): Promise<string> {
    const entries: string[] = [];
    let bytes = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#kv.list(scope, { prefix, limit: KV_LIMITS.listEntries, cursor });
      for (const { key, value } of page.items) {
        const entry = `${JSON.stringify(key)}:${value}`;
        bytes += Buffer.byteLength(entry);
        if (bytes > MAX_ALL_BYTES) {
          throw new PlatformError(
            "STORE_FULL",
            `kv.all: more than ${MAX_ALL_BYTES} bytes; read a prefix, or key by key`,
          );
        }
        entries.push(entry);
      }
      ({ cursor } = page);
    } while (cursor !== undefined);
    return `{"entries":{${entries.join(",")}}}`;
  }
}

function parseArguments(given: string): Arguments {
  let value: unknown;
  try {
    value = parseKeepingDigits(given);
  } catch {
    throw new PlatformError("INVALID_REQUEST", "the arguments are not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PlatformError("INVALID_REQUEST", "the arguments are not a JSON object");
  }
  return value as Arguments;
}

function scopeOf({ version }: Caller, given: Arguments): KvScope {
  const { id: functionId } = ownerOf(version);
  return given["global"] === true ? "global" : { functionId };
}

/** @throws PlatformError INVALID_REQUEST for ad-hoc code, which belongs to nobody */
function ownerOf(version: Version): VersionOwner {
  if (version.function !== undefined) return version.function;
  throw new PlatformError(
    "INVALID_REQUEST",
    "only functions have kv and env: this code was run without being deployed",
  );
}

export function text(given: Arguments, name: string): string {
  const value = given[name];
  if (typeof value === "string") return value;
  throw new PlatformError("INVALID_REQUEST", `${name} must be a text`);
}

export function optionalText(given: Arguments, name: string): string | undefined {
  return given[name] === undefined || given[name] === null ? undefined : text(given, name);
}

export function number(given: Arguments, name: string): number {
  const value = given[name];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new PlatformError("INVALID_REQUEST", `${name} must be a number`);
}

function json(given: Arguments, name: string): string {
  const value = given[name];
  if (value === undefined) throw new PlatformError("INVALID_REQUEST", `${name} is missing`);
  return JSON.stringify(value);
}

/** A member whose value is JSON text already; absent where there is none. */
function field(name: string, value: string | undefined): string {
  return value === undefined ? "{}" : `{"${name}":${value}}`;
}
