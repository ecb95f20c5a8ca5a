import { existsSync } from "node:fs";
import type { Queue } from "../queue.ts";

/**
 * The queue in `file` where there is that; else one that is opened with its first job, and empty until then. Its thread takes 15 MB of memory, which a server that queues nothing need
 * not have (bench/idle.ts).
 *
 * @param open rejects where it cannot be opened; then the job is refused, and the next one tries again
 */
export async function openWhenUsed(file: string, open: () => Promise<Queue>): Promise<Queue> {
  return existsSync(file) ? await open() : openedLater(open);
}

function openedLater(open: () => Promise<Queue>): Queue {
  const listeners: (() => void)[] = [];
  let queue: Queue | undefined;
  let opening: Promise<Queue> | undefined;

  async function openHere(): Promise<Queue> {
    const opened = await open();
    opened.onWork(() => {
      for (const listener of listeners) listener();
    });
    return (queue = opened);
  }

  return {
    async enqueue(job) {
      if (queue !== undefined) return await queue.enqueue(job);
      opening ??= openHere().finally(() => (opening = undefined));
      return await (await opening).enqueue(job);
    },
    claim: async (wanted) => (await queue?.claim(wanted)) ?? { claims: [], nextDueMs: undefined },
    heartbeat: async (leases, leaseMs) => (await queue?.heartbeat(leases, leaseMs)) ?? leases.map(() => "lost"),
    finish: async (lease, end, followUp) => (await queue?.finish(lease, end, followUp)) ?? false,
    retry: async (lease, again) => (await queue?.retry(lease, again)) ?? false,
    release: async (lease, atMs) => (await queue?.release(lease, atMs)) ?? false,
    cancel: async (id) => (await queue?.cancel(id)) ?? "missing",
    replay: async (id) => (await queue?.replay(id)) ?? "missing",
    find: async (id) => await queue?.find(id),
    list: async (query) => (await queue?.list(query)) ?? { items: [], cursor: undefined },
    stats: async () => (await queue?.stats()) ?? { queued: 0, running: 0, completed: 0, dead: 0, cancelled: 0 },
    countDue: async () => (await queue?.countDue()) ?? 0,
    onWork: (listener) => void listeners.push(listener),
    async close() {
      await opening?.catch(() => {}); // whose job it was has been told
      await queue?.close();
    },
  };
}
