// One conversation with a box: a message in, messages out, and nothing is left of the box when it is over.
import type { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { RELIEF_PERIOD_MS, type Sandbox } from "../../sandbox/sandbox.ts";
import type { BoxEnd } from "./failure.ts";
import { type Frame, FrameReader, writeFrame } from "./frames.ts";

export interface BoxTalk {
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly base: string;
  readonly header: object;
  readonly body: readonly Buffer[];
  readonly egress: EgressPolicy;
  /** From before the box's start. */
  readonly timeoutMs: number;
  /** Of one message from the box. */
  readonly maxBodyBytes: number;
  /** Ends the box. */
  readonly signal: AbortSignal;
  /** Called for each message; true where it is the last one. What it throws ends the box, too. */
  readonly onFrame: (frame: Frame) => boolean;
}

/**
 * Resolves with the box's last message when the box is gone.
 *
 * @throws PlatformError SANDBOX_START_FAILED
 */
export async function talkToBox(talk: BoxTalk): Promise<{ readonly last: Frame | undefined; readonly end: BoxEnd }> {
  const box = await talk.sandbox.launch(talk.base);
  const over = Promise.withResolvers<BoxEnd>();
  const onAbort = (): void => over.resolve("closed");
  const cancelTimer = talk.clock.after(talk.timeoutMs, () => over.resolve("timeout"));
  const stopRelief = talk.clock.every(RELIEF_PERIOD_MS, () => box.relieve());
  talk.signal.addEventListener("abort", onAbort, { once: true });
  if (talk.signal.aborted) onAbort();
  let last: Frame | undefined;
  for (const stream of [box.stdout, box.stderr]) stream.on("error", ignore).resume(); // what it prints is nobody's
  box.allowEgress(talk.egress);
  listen(box.control, talk.maxBodyBytes, {
    onFrame: (frame) => {
      last = frame;
      if (talk.onFrame(frame)) over.resolve("finished");
    },
    onEnd: (end) => over.resolve(end),
  });
  writeFrame(box.control, talk.header, talk.body);
  const end = await over.promise;
  cancelTimer();
  stopRelief();
  talk.signal.removeEventListener("abort", onAbort);
  box.kill();
  const { outOfMemory } = await box.ended;
  box.control.destroy();
  const wasKilled = outOfMemory && (end === "died" || isFailure(last));
  return { last, end: wasKilled ? "memory" : end };
}

/** The kernel kills the largest process, the compiler, and the box lives on to tell that something failed. */
function isFailure(frame: Frame | undefined): boolean {
  return (frame?.header as { readonly t?: unknown } | null | undefined)?.t === "failed";
}

function listen(
  control: Socket,
  maxBodyBytes: number,
  on: { readonly onFrame: (frame: Frame) => void; readonly onEnd: (end: BoxEnd) => void },
): void {
  const reader = new FrameReader(maxBodyBytes);
  control.on("error", ignore); // `close` follows
  control.on("close", () => on.onEnd("died"));
  control.on("data", (chunk: Buffer) => {
    try {
      for (const frame of reader.read(chunk)) on.onFrame(frame);
    } catch {
      control.pause();
      on.onEnd("flooded");
    }
  });
}

function ignore(): void {}
