// What can be changed at one server, and how another one shows that it is in force there.
import { statusFrom } from "../status-from.ts";
import { soon } from "./soon.ts";

interface Server {
  readonly url: string;
}

/** Of the servers, which need one to be told apart from callers whom nobody knows. */
export const ADMIN_KEY = "a".repeat(32);
const HEADERS = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };

/** Makes what is changed; resolves when both servers have it. */
export async function beginChanges(a: Server, b: Server): Promise<void> {
  const code = codeOf(-1);
  await change(a, "POST", "/api/functions", { name: "changed", language: "javascript", code, access: "public" });
  await soon("the other one serves it", async () => ((await served(b)).status === 200 ? true : undefined));
}

/** Each changes something at one server, and says how the other shows it. */
export const CHANGES: Readonly<Record<string, (a: Server, b: Server, n: number) => Promise<() => Promise<boolean>>>> = {
  async deploy(a, b, n) {
    await change(a, "POST", "/api/functions/changed/versions", { code: codeOf(n) });
    return async () => (await served(b)).text === `version ${n}`;
  },
  async rollback(a, b) {
    const before = (await served(a)).text;
    const { items } = (await change(a, "GET", "/api/functions/changed/versions")) as unknown as {
      readonly items: readonly { readonly version: number }[];
    };
    await change(a, "POST", `/api/functions/changed/versions/${items[1]?.version}/activate`);
    return async () => (await served(b)).text !== before;
  },
  async setting(a, b, n) {
    await change(a, "PATCH", "/api/functions/changed", { corsOrigins: [`https://n${n}.example`] });
    return async () => (await served(b, `https://n${n}.example`)).origin === `https://n${n}.example`;
  },
  async "key's revocation"(a, b, n) {
    const { id, key } = (await change(a, "POST", "/api/keys", { name: "k", scope: "read" })) as unknown as {
      readonly id: string;
      readonly key: string;
    };
    const status = (): Promise<number> => statusFrom(n, `${b.url}/api/functions`, { authorization: `Bearer ${key}` });
    await soon("the new key opens the other server", async () => ((await status()) === 200 ? true : undefined));
    await change(a, "DELETE", `/api/keys/${id}`);
    return async () => (await status()) === 401;
  },
};

function codeOf(n: number): string {
  return `export default () => new Response("version ${n}");`;
}

async function change({ url }: Server, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url + path, {
    ...{ method, headers: HEADERS },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function served(
  { url }: Server,
  origin = "https://none.example",
): Promise<{ readonly status: number; readonly text: string; readonly origin: string | null }> {
  const response = await fetch(`${url}/fn/changed`, { headers: { ...HEADERS, origin } });
  const text = await response.text();
  return { status: response.status, text, origin: response.headers.get("access-control-allow-origin") };
}
