// What one server changes is in force at another: by its message within milliseconds, and where that is lost by its number.
import { setTimeout as delay } from "node:timers/promises";
import { inForceAfterMs } from "../in-force.ts";
import { statusFrom } from "../status-from.ts";
import { Cluster, type Node } from "./cluster.ts";
import type { Fault, FaultReport } from "./faults.ts";
import { soon } from "./soon.ts";

const ADMIN = "a".repeat(32);
const HEADERS = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" };
/** The promises; on a machine that does much else, a time may be this many times as long before it counts as lost. */
const WITH_MESSAGES_MS = 100;
const WITHOUT_MS = 5_000;
const PATIENCE = 10;

/** Each changes something at one server, and says how the other shows it. */
const CHANGES: Readonly<Record<string, (a: Node, b: Node, n: number) => Promise<() => Promise<boolean>>>> = {
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

async function run(times: number, isMute: boolean): Promise<FaultReport> {
  const settings = { HOST: "0.0.0.0", ADMIN_KEY: ADMIN, WEBHOOK_SECRET: "w".repeat(32) };
  const cluster = await Cluster.start({ nodes: 2, store: "redis", settings });
  try {
    const [a, b] = [cluster.node(0), cluster.node(1)];
    await change(a, "POST", "/api/functions", {
      name: "changed",
      language: "javascript",
      code: codeOf(-1),
      access: "public",
    });
    await soon("the other one serves it", async () => ((await served(b)).status === 200 ? true : undefined));
    const promisedMs = isMute ? WITHOUT_MS : WITH_MESSAGES_MS;
    const lost: string[] = [];
    const takenMs: number[] = [];
    for (let n = 0; n < times; n++) {
      for (const [name, make] of Object.entries(CHANGES)) {
        if (isMute && name !== "key's revocation") b.line?.mute();
        const shown = await make(a, b, n);
        if (isMute) b.line?.mute();
        try {
          takenMs.push(await inForceAfterMs(shown, promisedMs * PATIENCE));
        } catch (error) {
          lost.push(`${name}: ${(error as Error).message}`);
        }
        b.line?.restore();
        await delay(50);
      }
    }
    return {
      accepted: times * Object.keys(CHANGES).length,
      lost,
      doubled: [],
      recoveriesMs: takenMs,
      note: "deploys, rollbacks, settings, keys",
    };
  } finally {
    await cluster.dispose();
  }
}

function codeOf(n: number): string {
  return `export default () => new Response("version ${n}");`;
}

async function change(node: Node, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(node.url + path, {
    ...{ method, headers: HEADERS },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function served(
  { url }: Node,
  origin = "https://none.example",
): Promise<{ readonly status: number; readonly text: string; readonly origin: string | null }> {
  const response = await fetch(`${url}/fn/changed`, { headers: { ...HEADERS, origin } });
  const text = await response.text();
  return { status: response.status, text, origin: response.headers.get("access-control-allow-origin") };
}

export const CHANGE_FAULTS: readonly Fault[] = [
  { id: "changes", title: "changes at one server, in force at another", run: (times) => run(times, false) },
  {
    id: "lost-messages",
    title: "the same while every message is lost",
    mostTimes: 5,
    run: (times) => run(times, true),
  },
];
