// What the faults ask of the management API.
import { soon } from "./soon.ts";

const ASK_TIMEOUT_MS = 10_000;
const LIMIT_MS = 180_000;
const PAGE = 200;

/** @throws where it is refused */
export async function deploy(url: string, body: object): Promise<{ readonly id: string }> {
  const response = await fetch(`${url}/api/functions`, {
    ...{ method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } },
  });
  if (!response.ok) throw new Error(`deploy: ${response.status} ${await response.text()}`);
  return (await response.json()) as { readonly id: string };
}

/** Asks until it is answered with success, or with one of `alsoFine`: the servers may be on their way back. */
export async function read(
  url: string,
  path: string,
  ...alsoFine: readonly number[]
): Promise<Record<string, unknown>> {
  return await soon(
    `${path} is answered`,
    async () => {
      const response = await fetch(url + path, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) }).catch(() => {});
      const body = (await response?.json().catch(() => {})) as Record<string, unknown> | undefined;
      return response?.ok === true || alsoFine.includes(response?.status ?? 0) ? body : undefined;
    },
    LIMIT_MS,
  );
}

/** All items of a list. `path` has a query already. */
export async function readAll<T>(url: string, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor: unknown;
  do {
    const from = typeof cursor === "string" ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const page = await read(url, `${path}&limit=${PAGE}${from}`);
    items.push(...(page["items"] as T[]));
    cursor = page["nextCursor"];
  } while (typeof cursor === "string");
  return items;
}

/** A function's own keys and values, where these are numbers. */
export async function countsOf(
  url: string,
  name: string,
  prefix: string,
): Promise<{ readonly key: string; readonly value: number }[]> {
  return await readAll(url, `/api/functions/${name}/kv?prefix=${prefix}`);
}
