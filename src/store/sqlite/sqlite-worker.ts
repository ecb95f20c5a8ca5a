// The worker thread that owns the database. It takes calls strictly one after the other, in the order of their sending.
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { messageOf } from "../../core/errors.ts";
import { settleHeapWhenQuiet } from "../../core/settle-heap.ts";
import { openCalls } from "./open-calls.ts";
import { OPENING_ID } from "./sqlite-calls.ts";
import type { AnswerMessage, CallMessage, CallName, SqliteSettings } from "./sqlite-calls.ts";
import { sqliteCode } from "./sqlite-error.ts";

// What may wait for one sync of the disk together. Reads are among them, so that they do not part the changes around them.
const TOGETHER: ReadonlySet<CallName> = new Set<CallName>(["kvChange", "kvGet", "kvList"]);
const MAX_TOGETHER = 256; // some milliseconds of work, as long as the sync

if (parentPort === null) throw new Error("sqlite-worker.ts runs in a worker thread only");
const port = parentPort;

port.postMessage(
  answer(OPENING_ID, () => {
    const { calls, durably } = openCalls(workerData as SqliteSettings);
    const carryOut = (message: CallMessage): AnswerMessage => {
      const call = calls[message.name] as (...args: unknown[]) => unknown; // each name comes with its arguments
      return answer(message.id, () => call(...message.args));
    };

    /** Carries out `first` and what waits behind it as one transaction; returns the first message that may not be part of it. */
    const commitTogether = (first: CallMessage): CallMessage | undefined => {
      const messages = [first];
      let next: CallMessage | undefined;
      let answers: AnswerMessage[] = [];
      const whole = answer(first.id, () =>
        durably(() => {
          for (const message of messages) {
            const own = carryOut(message);
            // SQLite may have rolled back; what is wrong with one call alone is that caller's.
            if (!own.ok && sqliteCode(own.error) !== undefined) throw own.error;
            answers.push(own);
            if (messages.length === MAX_TOGETHER) continue;
            next = receiveMessageOnPort(port)?.message as CallMessage | undefined;
            if (next !== undefined && TOGETHER.has(next.name)) {
              messages.push(next);
              next = undefined;
            } else return;
          }
        }),
      );
      if (!whole.ok) answers = messages.map(({ id }) => ({ id, ok: false, error: whole.error }));
      for (const each of answers) port.postMessage(each);
      return next;
    };

    port.on("message", (message: CallMessage) => {
      let next: CallMessage | undefined = message;
      while (next !== undefined) {
        if (next.name === "kvChange") next = commitTogether(next);
        else {
          port.postMessage(carryOut(next));
          if (next.name === "close") port.unref(); // nothing else keeps the thread alive; closing it would drop the answer
          next = undefined;
        }
      }
    });
  }),
);
settleHeapWhenQuiet();

function answer(id: number, work: () => unknown): AnswerMessage {
  try {
    return { id, ok: true, result: work() };
  } catch (error) {
    return { id, ok: false, error: error instanceof Error ? error : new Error(messageOf(error)) };
  }
}
