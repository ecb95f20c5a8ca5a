// The server's part of `kv` and `env`, in memory, for the tests of this folder.
import { Refusal, type Server } from "./worker-under-test.ts";

const PAGE_KEYS = 2; // small, so that lists have more than one page

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What was asked for is in `calls`, as `name {"json":…}`. */
export function playServer(): {
  readonly server: Server;
  readonly calls: string[];
  readonly ttls: Map<string, number>;
} {
  const stores = { own: new Map<string, unknown>(), global: new Map<string, unknown>() };
  const env = new Map<string, unknown>();
  const ttls = new Map<string, number>();
  const calls: string[] = [];

  const server: Server = (name, given) => {
    calls.push(`${name} ${JSON.stringify(given)}`);
    const store = given["global"] === true ? stores.global : stores.own;
    const key = String(given["key"] ?? given["name"]);
    if (key === "refused") throw new Refusal("key too long: 600 bytes (max 512)");
    const same = JSON.stringify(store.get(key)) === JSON.stringify(given["old"]);
    const keys = [...store.keys()].filter((one) => one.startsWith(text(given["prefix"]))).sort();
    switch (name) {
      case "kv.get":
        return { value: store.get(key) };
      case "kv.set":
        store.set(key, given["value"]);
        if (given["ttlMs"] !== undefined) ttls.set(key, Number(given["ttlMs"]));
        return {};
      case "kv.delete":
        return { deleted: store.delete(key) };
      case "kv.incr": {
        const sum = Number(store.get(key) ?? 0) + Number(given["by"] ?? 1);
        if (Number.isNaN(sum)) throw new Refusal(`key "${key}" does not hold a number`);
        store.set(key, sum);
        return { value: sum };
      }
      case "kv.cas":
        if (same && given["new"] === undefined) store.delete(key);
        else if (same) store.set(key, given["new"]);
        return { swapped: same };
      case "kv.list": {
        const rest = keys.filter((one) => one > text(given["cursor"]));
        const page = rest.slice(0, PAGE_KEYS);
        return rest.length > page.length ? { keys: page, cursor: page.at(-1) } : { keys: page };
      }
      case "kv.all":
        return { entries: Object.fromEntries(keys.map((one) => [one, store.get(one)])) };
      case "env.get":
        return { value: env.get(key) };
      case "env.set":
        env.set(key, given["value"]);
        return {};
      case "env.delete":
        return { deleted: env.delete(key) };
      default:
        throw new Refusal(`there is no call "${name}"`);
    }
  };
  return { server, calls, ttls };
}
