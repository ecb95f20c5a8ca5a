import type { ServerResponse } from "node:http";
import { systemClock } from "../../core/clock.ts";
import type { LogLine } from "../../core/log-line.ts";
import type { InvocationResult } from "../../services/invoke.ts";
import { explain } from "../../services/explain.ts";
import { loggedResult, printedResult, returnedResult, type ScriptResult } from "./script-result.ts";

const KEEP_ALIVE_MS = 15_000;

/**
 * A run as server-sent events: `log` for every printed line, then exactly one `result` or `error`.
 *
 * Where nothing is returned the last line printed to stdout is the result and no log, so one line waits until it is known not to be the
 * last. Code that surely returns a value cannot have such a line: there nothing waits.
 */
export class ScriptEvents {
  readonly #response: ServerResponse;
  readonly #holdsBack: boolean;
  readonly #stopKeepAlive: () => void;
  #held: LogLine | undefined;

  constructor(response: ServerResponse, alwaysReturns: boolean) {
    this.#response = response;
    this.#holdsBack = !alwaysReturns;
    response.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-cache",
      "X-Accel-Buffering": "no", // nginx would hold events back
    });
    response.flushHeaders();
    this.#stopKeepAlive = systemClock.every(KEEP_ALIVE_MS, () => response.write(": keep-alive\n\n"));
  }

  line(line: LogLine): void {
    if (this.#holdsBack && line.stream === "stdout") {
      this.#release();
      this.#held = line;
    } else this.#send("log", loggedResult(line.text));
  }

  end({ outcome }: InvocationResult): void {
    if (outcome.kind !== "ok") {
      this.error(outcome.kind === "responded" ? "a value was answered with a response" : explain(outcome));
      return;
    }
    if (outcome.json === undefined) this.#send("result", printedResult(this.#held?.text ?? ""));
    else {
      this.#release();
      this.#send("result", returnedResult(outcome.json));
    }
    this.#close();
  }

  /** For a run that failed or never began. */
  error(message: string): void {
    this.#release();
    this.#send("error", { data: JSON.stringify(`stopped to run script: ${message}`), type: "text" });
    this.#close();
  }

  #release(): void {
    if (this.#held !== undefined) this.#send("log", loggedResult(this.#held.text));
    this.#held = undefined;
  }

  #send(event: "log" | "result" | "error", { data, type }: ScriptResult): void {
    if (!this.#response.writableEnded)
      this.#response.write(`data: {"event":"${event}","data":${data},"type":"${type}"}\n\n`);
  }

  #close(): void {
    this.#stopKeepAlive();
    this.#response.end();
  }
}
