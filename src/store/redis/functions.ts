import { DEFAULT_SETTINGS, type FunctionSettings } from "../../core/function.ts";
import { newId } from "../../core/id.ts";
import { decodeCursor, pageOf, wholeLimit } from "../../core/cursor.ts";
import type { FunctionQuery, Page, Store, StoredFunction } from "../store.ts";
import type { MetaScripts } from "./meta-scripts.ts";
import type { Reply } from "./redis-connection.ts";

const CHUNK = 500; // functions that are looked at in one step where a filter may leave few of them
const PLACE_DIGITS = 16;

type NewFunction = Parameters<Store["createFunction"]>[0];
type Changes = Parameters<Store["updateFunction"]>[1];

/** Functions, without what belongs to them. */
export class Functions {
  readonly #scripts: MetaScripts;

  constructor(scripts: MetaScripts) {
    this.#scripts = scripts;
  }

  async create({ id = newId(), name, settings, nowMs }: NewFunction): Promise<StoredFunction | undefined> {
    await this.enliven(id);
    const created = await this.#scripts.run(
      "create-function",
      id,
      name.toWellFormed(),
      JSON.stringify(settings),
      ruleOf(settings),
      nowMs,
    );
    if (created === null) await this.bury(id);
    return toFunction(created);
  }

  async find(wanted: { readonly id: string } | { readonly name: string }): Promise<StoredFunction | undefined> {
    const [kind, value] = "id" in wanted ? ["id", wanted.id] : ["name", wanted.name];
    return toFunction(await this.#scripts.run("find-functions", kind, value));
  }

  async findFirst(names: readonly string[]): Promise<StoredFunction | undefined> {
    const longestFirst = names.toSorted((a, b) => b.length - a.length);
    return toFunction(await this.#scripts.run("find-functions", "name", ...longestFirst));
  }

  async list(query: FunctionQuery): Promise<Page<StoredFunction>> {
    const { sort, language } = query;
    const limit = wholeLimit(query.limit);
    const from = query.cursor === undefined ? "" : placeOf(query.cursor, sort);
    if (from === undefined || limit === 0) return { items: [], cursor: undefined };
    const search = query.search?.toLowerCase() ?? "";
    const fits = ({ name, settings: { description }, language: own }: StoredFunction): boolean =>
      `${name}\n${description}`.toLowerCase().includes(search) && (language === undefined || own === language);
    const count = search === "" && language === undefined ? limit + 1 : CHUNK;

    const items: StoredFunction[] = [];
    for (let place = from; items.length <= limit;) {
      const replies = await this.#scripts.run("list-functions", sort, place, count);
      const chunk = (replies as Reply[]).flatMap((reply) => toFunction(reply) ?? []);
      items.push(...chunk.filter(fits));
      const last = chunk.at(-1);
      if (last === undefined || chunk.length < count) break;
      place = memberOf(sort, last);
    }
    return pageOf(items, limit, (item) => [sort, memberOf(sort, item)]);
  }

  async update(id: string, { name, settings, nowMs }: Changes): Promise<StoredFunction | "missing" | "taken"> {
    const updated = await this.#scripts.run(
      "update-function",
      ...[id, nowMs],
      ...(name === undefined ? ["0", ""] : ["1", name.toWellFormed()]),
      ...(settings === undefined ? [] : [JSON.stringify(settings), ruleOf(settings)]),
    );
    if (updated === "missing" || updated === "taken") return updated;
    return toFunction(updated) ?? "missing";
  }

  /** False where there is none. What lies elsewhere is for `Clearing`. */
  async delete(id: string, nowMs: number): Promise<boolean> {
    return (await this.#scripts.run("delete-function", id, nowMs)) === 1;
  }

  /** Lets keys and values of a function be kept. Before the function is there: one without would never keep any. */
  async enliven(id: string): Promise<void> {
    await this.#scripts.connection.command("SET", `${this.#scripts.keyspace.kv({ functionId: id })}:alive`, "1");
  }

  /** After `enliven` for a function that was not made. */
  async bury(id: string): Promise<void> {
    await this.#scripts.connection.command("UNLINK", `${this.#scripts.keyspace.kv({ functionId: id })}:alive`);
  }

  /** Of these functions, those that have a rule of their own. */
  async rulesOf(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map();
    const rules = await this.#scripts.connection.command("HMGET", `${this.#scripts.keyspace.meta}:rules`, ...ids);
    return new Map(
      ids.flatMap((id, at) => {
        const rule = (rules as (string | null)[])[at] ?? null;
        return rule === null ? [] : [[id, rule] as const];
      }),
    );
  }

  /** How each function that has a rule of its own keeps executions: count and days, "-" for none. */
  async rules(): Promise<ReadonlyMap<string, string>> {
    const reply = await this.#scripts.connection.command("HGETALL", `${this.#scripts.keyspace.meta}:rules`);
    return new Map(Object.entries(reply as object as Record<string, string>));
  }
}

export function ruleOf({ retentionCount, retentionDays }: FunctionSettings): string {
  if (retentionCount === undefined && retentionDays === undefined) return "";
  return `${retentionCount ?? "-"} ${retentionDays ?? "-"}`;
}

/** Its place in an order, as the script takes it. There is a mark before it, since a name may be empty. */
function memberOf(sort: FunctionQuery["sort"], { id, name, createdAtMs, updatedAtMs }: StoredFunction): string {
  if (sort === "name") return `=${name}`;
  const ms = String(sort === "created" ? createdAtMs : updatedAtMs);
  return `=${ms.padStart(PLACE_DIGITS, "0")}${id}`;
}

/** Undefined for a cursor that is not ours, or of another order. */
function placeOf(cursor: string, sort: string): string | undefined {
  const place = decodeCursor(cursor, ["", ""] as const);
  return place?.[0] === sort && place[1] !== "" ? place[1] : undefined;
}

function toFunction(reply: Reply): StoredFunction | undefined {
  if (!Array.isArray(reply)) return undefined;
  const fields = new Map<string, string>();
  for (let at = 0; at < reply.length; at += 2) fields.set(String(reply[at]), String(reply[at + 1]));
  const active = fields.get("activeVersion");
  return {
    id: fields.get("id") ?? "",
    name: fields.get("name") ?? "",
    settings: {
      ...DEFAULT_SETTINGS,
      ...(JSON.parse(fields.get("settings") ?? "{}") as Partial<FunctionSettings>),
    },
    activeVersion: active === undefined ? undefined : Number(active),
    language: fields.get("language"),
    createdAtMs: Number(fields.get("createdAtMs")),
    updatedAtMs: Number(fields.get("updatedAtMs")),
  };
}
