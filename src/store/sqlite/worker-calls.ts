import type { Worker } from "node:worker_threads";
import { PlatformError } from "../../core/errors.ts";
import { OPENING_ID } from "./sqlite-calls.ts";
import type { AnswerMessage, CallMessage, CallName, SqliteCalls } from "./sqlite-calls.ts";

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PlatformError) => void;
}

/**
 * The main thread's end of the line to the worker thread. Whatever goes wrong over there rejects with PlatformError
 * STORE_UNAVAILABLE; when the thread dies, that is every pending call and every later one.
 */
export class WorkerCalls {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  /** Settles when the database is open, or refused. */
  readonly opened: Promise<unknown>;
  /** Resolves when the thread is gone, for whatever reason. */
  readonly ended: Promise<void>;
  #lastId = OPENING_ID;
  #dead: PlatformError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.opened = this.#expect(OPENING_ID);
    worker.on("message", (answer: AnswerMessage) => this.#settle(answer));
    worker.on("messageerror", (error) => this.#die("sent what cannot be read", error));
    worker.on("error", (error: unknown) => this.#die("crashed", error));
    this.ended = new Promise((resolve) => {
      worker.on("exit", (code) => {
        this.#die(`ended with exit code ${code}`, undefined);
        resolve();
      });
    });
  }

  call<Name extends CallName>(
    name: Name,
    ...args: Parameters<SqliteCalls[Name]>
  ): Promise<ReturnType<SqliteCalls[Name]>> {
    return this.handOver([], name, ...args);
  }

  /** @param memory of the arguments: it is the thread's from then on, and is not copied */
  handOver<Name extends CallName>(
    memory: readonly ArrayBuffer[],
    name: Name,
    ...args: Parameters<SqliteCalls[Name]>
  ): Promise<ReturnType<SqliteCalls[Name]>> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const id = ++this.#lastId;
    const message: CallMessage<Name> = { id, name, args };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
    this.#worker.postMessage(message, memory);
    return this.#expect(id) as Promise<ReturnType<SqliteCalls[Name]>>; // the worker answers with what `SqliteCalls` says
  }

  #expect(id: number): Promise<unknown> {
    if (this.#pending.size === 0) this.#worker.ref(); // a call keeps the process alive, an idle store does not
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }

  #settle(answer: AnswerMessage): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if (answer.ok) pending?.resolve(answer.result);
    else pending?.reject(unavailable(answer.error.message, answer.error));
  }

  #die(how: string, cause: unknown): void {
    this.#dead ??= unavailable(`its thread ${how}`, cause); // "error" is followed by "exit"
    for (const pending of this.#pending.values()) pending.reject(this.#dead);
    this.#pending.clear();
  }
}

function unavailable(why: string, cause: unknown): PlatformError {
  return new PlatformError("STORE_UNAVAILABLE", `the store is not available: ${why}`, { cause });
}
