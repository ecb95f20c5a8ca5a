// What one server changes is in force at another: by its message within milliseconds, and where that is lost by its number.
import { setTimeout as delay } from "node:timers/promises";
import { inForceAfterMs } from "../in-force.ts";
import { ADMIN_KEY, beginChanges, CHANGES } from "./changes.ts";
import { Cluster } from "./cluster.ts";
import type { Fault, FaultReport } from "./faults.ts";

/** The promises; on a machine that does much else, a time may be this many times as long before it counts as lost. */
const WITH_MESSAGES_MS = 100;
const WITHOUT_MS = 5_000;
const PATIENCE = 10;

async function run(times: number, isMute: boolean): Promise<FaultReport> {
  const settings = { HOST: "0.0.0.0", ADMIN_KEY, WEBHOOK_SECRET: "w".repeat(32) };
  const cluster = await Cluster.start({ nodes: 2, store: "redis", settings });
  try {
    const [a, b] = [cluster.node(0), cluster.node(1)];
    await beginChanges(a, b);
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

export const CHANGE_FAULTS: readonly Fault[] = [
  { id: "changes", title: "changes at one server, in force at another", run: (times) => run(times, false) },
  {
    id: "lost-messages",
    title: "the same while every message is lost",
    mostTimes: 5,
    run: (times) => run(times, true),
  },
];
