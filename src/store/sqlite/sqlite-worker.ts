// The worker thread that owns the database. It takes calls strictly one after the other, in the order of their sending.
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../core/errors.ts";
import { ExecutionsTable } from "./executions-table.ts";
import { KeysTable } from "./keys-table.ts";
import { openDatabase } from "./open-database.ts";
import { OPENING_ID } from "./sqlite-calls.ts";
import type { AnswerMessage, CallMessage, SqliteCalls, SqliteSettings } from "./sqlite-calls.ts";
import { VersionsTable } from "./versions-table.ts";

if (parentPort === null) throw new Error("sqlite-worker.ts runs in a worker thread only");
const port = parentPort;

answer(OPENING_ID, () => {
  const calls = openCalls(workerData as SqliteSettings);
  port.on("message", (message: CallMessage) => {
    const call = calls[message.name] as (argument: CallMessage["argument"]) => unknown; // each name comes with its argument
    answer(message.id, () => call(message.argument));
  });
});

function openCalls({ file, keepExecutions }: SqliteSettings): SqliteCalls {
  const opened = openDatabase(file);
  const versions = new VersionsTable(opened.database);
  const keys = new KeysTable(opened.database);
  const executions = new ExecutionsTable(opened.database, keepExecutions);
  return {
    addVersion: (upload) => versions.add(upload),
    findVersion: ({ functionName, number }) => versions.find(functionName, number),
    hasFunction: (functionName) => versions.has(functionName),
    appendExecutions: (cells) => executions.append(cells),
    listExecutions: (query) => executions.list(query),
    addKey: (key) => keys.add(key),
    listKeys: () => keys.list(),
    removeKey: (id) => keys.remove(id),
    close() {
      opened.close();
      port.unref(); // nothing else keeps the thread alive; closing it would drop the answer
    },
  };
}

function answer(id: number, work: () => unknown): void {
  let message: AnswerMessage;
  try {
    message = { id, ok: true, result: work() };
  } catch (error) {
    message = { id, ok: false, error: error instanceof Error ? error : new Error(messageOf(error)) };
  }
  port.postMessage(message);
}
