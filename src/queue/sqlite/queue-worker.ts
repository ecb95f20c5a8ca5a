// The worker thread that owns the queue's database. Calls are carried out in the order of their sending; those that wait when one
// comes that must reach the disk share its sync.
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { messageOf } from "../../core/errors.ts";
import { openDatabase } from "../../store/sqlite/open-database.ts";
import { OPENING_ID } from "../../store/sqlite/sqlite-calls.ts";
import type { AnswerMessage } from "../../store/sqlite/sqlite-calls.ts";
import { sqliteCode } from "../../store/sqlite/sqlite-error.ts";
import { durableTransaction, transaction } from "../../store/sqlite/transaction.ts";
import { JobsTable } from "./jobs-table.ts";
import { QUEUE_MIGRATIONS } from "./migrations.ts";
import { DURABLE, type QueueCalls, type QueueThreadSettings } from "./queue-calls.ts";
import { Trimming } from "./trimming.ts";

const MAX_TOGETHER = 256; // some milliseconds of work, as long as the sync

interface QueueMessage {
  readonly id: number;
  readonly name: keyof QueueCalls;
  readonly args: readonly unknown[];
}

if (parentPort === null) throw new Error("queue-worker.ts runs in a worker thread only");
const port = parentPort;

port.postMessage(
  answer(OPENING_ID, () => {
    const { file, keep, nowMs } = workerData as QueueThreadSettings;
    const opened = openDatabase(file, QUEUE_MIGRATIONS);
    const { database } = opened;
    const jobs = new JobsTable(database);
    const trimming = new Trimming(database, keep);
    durableTransaction(database, () => {
      jobs.dropLeases();
      trimming.trim(nowMs);
    });

    const calls: QueueCalls = {
      enqueue: (job, at) => jobs.enqueue(job, at),
      claim: (wanted, at) => jobs.claim(wanted, at),
      heartbeat: (leases, leaseMs, at) => jobs.heartbeat(leases, leaseMs, at),
      finish(lease, end, followUp, at) {
        const isOurs = jobs.finish(lease, end, followUp, at);
        if (isOurs) trimming.afterEnd(at);
        return isOurs;
      },
      retry: (lease, again, at) => jobs.retry(lease, again, at),
      release: (lease, atMs, at) => jobs.release(lease, atMs, at),
      cancel: (id, at) => jobs.cancel(id, at),
      replay: (id, at) => jobs.replay(id, at),
      find: (id) => jobs.find(id),
      list: (query) => jobs.list(query),
      stats: () => jobs.stats(),
      countDue: (at) => jobs.countDue(at),
      close: () => opened.close(),
    };

    const carryOut = ({ id, name, args }: QueueMessage): AnswerMessage => {
      const call = calls[name] as (...given: readonly unknown[]) => unknown; // each name comes with its arguments
      return answer(id, () => call(...args));
    };

    /** Carries out `first` and what waits behind it as one transaction; returns a `close` that came behind them. */
    const commitTogether = (first: QueueMessage): QueueMessage | undefined => {
      const messages = [first];
      let answers: AnswerMessage[] = [];
      let close: QueueMessage | undefined;
      const run = DURABLE.has(first.name) ? durableTransaction : transaction;
      const whole = answer(first.id, () =>
        run(database, () => {
          for (const message of messages) {
            const own = carryOut(message);
            // SQLite may have rolled back; what is wrong with one call alone is that caller's.
            if (!own.ok && sqliteCode(own.error) !== undefined) throw own.error;
            answers.push(own);
            if (messages.length === MAX_TOGETHER || !DURABLE.has(first.name)) continue;
            const next = receiveMessageOnPort(port)?.message as QueueMessage | undefined;
            if (next?.name === "close") close = next;
            else if (next !== undefined) messages.push(next);
          }
        }),
      );
      if (!whole.ok) answers = messages.map(({ id }) => ({ id, ok: false, error: whole.error }));
      for (const each of answers) port.postMessage(each);
      return close;
    };

    port.on("message", (message: QueueMessage) => {
      const close = message.name === "close" ? message : commitTogether(message);
      if (close === undefined) return;
      port.postMessage(carryOut(close));
      port.unref(); // nothing else keeps the thread alive; closing it would drop the answer
    });
  }),
);

function answer(id: number, work: () => unknown): AnswerMessage {
  try {
    return { id, ok: true, result: work() };
  } catch (error) {
    return { id, ok: false, error: error instanceof Error ? error : new Error(messageOf(error)) };
  }
}
