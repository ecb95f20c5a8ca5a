import { messageOf } from "../core/errors.ts";
import { encodeFrame, ProtocolError, type WorkerFrame } from "./protocol.ts";
import type { Run } from "./run.ts";

const MAX_WAITING = 64;

/** What the code of one worker asks the platform for, and the answers. */
export class Calls {
  readonly #send: (frame: Buffer) => void;
  #waiting = 0;

  constructor(send: (frame: Buffer) => void) {
    this.#send = send;
  }

  /**
   * @param run in whose name it is asked
   * @throws ProtocolError
   */
  ask({ id, name, body }: WorkerFrame & { readonly t: "call" }, run: Run | undefined): void {
    if (run === undefined) throw new ProtocolError("a call before its first run");
    if (this.#waiting >= MAX_WAITING) throw new ProtocolError(`more than ${MAX_WAITING} calls at once`);
    this.#waiting++;
    run.request.onCall(name, body.toString("utf8")).then(
      (json) => this.#answer(id, undefined, json),
      (error: unknown) => this.#answer(id, errorFor(error), ""),
    );
  }

  #answer(id: number, error: object | undefined, json: string): void {
    this.#waiting--;
    this.#send(encodeFrame({ t: "answer", id, error }, json));
  }
}

/** What the code is told of a call that failed: the message and, where there is one, a code. Never a stack of ours. */
function errorFor(error: unknown): object {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return { code: typeof code === "string" ? code : "INTERNAL", message: messageOf(error) };
}
