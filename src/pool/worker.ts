import type { Clock } from "../core/clock.ts";
import type { LogChunk, LogLevel, OutputStream } from "../core/log-line.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Version } from "../core/program.ts";
import type { SandboxedProcess } from "../sandbox/sandbox.ts";
import { deathOutcome, describeEnding, type EndReason, failureOutcome, valueOutcome } from "./outcomes.ts";
import { encodeFrame, FrameReader, FrameTooLarge, ProtocolError, type WorkerFrame } from "./protocol.ts";
import type { Run } from "./run.ts";

export type WorkerState = "booting" | "idle" | "warm" | "busy" | "ending";

export interface WorkerOptions {
  readonly clock: Clock;
  /** Of printed text a run, and of a returned value. */
  readonly outputLimitBytes: number;
  readonly memoryLimitBytes: number;
}

/** What one worker tells whoever owns it. */
interface OwnEvents {
  onReady(): void;
  /** A run is over and the worker lives on: it can take another one. */
  onOver(run: Run, runMs: number): void;
  /** It takes no more runs; `unstarted` were sent ahead and have not been begun. */
  onRetired(unstarted: Run[]): void;
  /** Nothing of it is left. `bootFailure` says why it never became ready. */
  onGone(bootFailure: string | undefined): void;
}

/** The same, told about many workers. */
export interface WorkerEvents {
  onReady(worker: Worker): void;
  onOver(worker: Worker, run: Run, runMs: number): void;
  onRetired(worker: Worker, unstarted: Run[]): void;
  onGone(): void;
}

const STDERR_TAIL_CHARS = 2048;

/** A live sandboxed process that speaks the wire protocol. Bound to one version at most, for ever. */
export class Worker {
  readonly id: number;
  readonly base: string;
  readonly startedAtMs: number;
  readonly #process: SandboxedProcess;
  readonly #options: WorkerOptions;
  readonly #events: OwnEvents;
  #version: Version | undefined;
  #ready = false;
  #bootMs = 0;
  #endReason: EndReason | undefined;
  /** Sent to the worker, oldest first; only the first is running. */
  #runs: Run[] = [];
  #outbox: Buffer[] = [];
  #restingSinceMs = 0;
  #writesRaw = false;
  #nextRunId = 1;
  #firstRunId = 1;
  /** The first run's end, once it has come in and only text that it wrote before is still being read. */
  #finishing: Outcome | undefined;
  /** Frames that came behind that end: they belong to the next run. */
  readonly #heldBack: WorkerFrame[] = [];
  /** It broke the protocol: nothing that it sends is read any more. */
  #deaf = false;
  /** The code said with which code it ends its process. */
  #exitCode: number | undefined;
  #killedAfterHangUp = false;
  #stopWaiting: () => void = () => {};
  #runsServed = 0;
  #stderrTail = "";
  #pong: ((id: number) => void) | undefined;

  constructor(base: string, process: SandboxedProcess, options: WorkerOptions, events: OwnEvents) {
    this.id = process.id;
    this.base = base;
    this.#process = process;
    this.#options = options;
    this.#events = events;
    this.startedAtMs = options.clock.monotonicMs();
    const reader = new FrameReader(options.outputLimitBytes + MAX_FRAME_SLACK_BYTES, (frame) => this.#receive(frame));
    const { control, stdout, stderr } = process;
    control.on("data", (chunk: Buffer) => this.#guarded(() => reader.push(chunk)));
    control.on("error", () => {}); // its end says enough
    control.on("end", () => this.#hangUp());
    this.#readRaw("stdout", "info");
    this.#readRaw("stderr", "error");
    void this.#watch([control, stdout, stderr].map(closed));
  }

  get state(): WorkerState {
    if (this.#endReason !== undefined) return "ending";
    if (!this.#ready) return "booting";
    if (this.#version === undefined) return "idle";
    return this.#runs.length === 0 ? "warm" : "busy";
  }

  get version(): Version | undefined {
    return this.#version;
  }

  get runsServed(): number {
    return this.#runsServed;
  }

  /** Milliseconds from the launch until it was ready. */
  get bootMs(): number {
    return this.#bootMs;
  }

  /** Runs that it has been given and that are not over. */
  get load(): number {
    return this.#runs.length;
  }

  /** True when its code may write to the descriptors itself: text there belongs to whichever run is on, so only one may be. */
  get writesRaw(): boolean {
    return this.#writesRaw;
  }

  /** Milliseconds since its last run was over. */
  restedMs(nowMs: number): number {
    return nowMs - this.#restingSinceMs;
  }

  /** Makes the worker this version's own. */
  bind(version: Version): void {
    this.#version = version;
    const { language, options, code } = version.program;
    this.#process.allowEgress(version.egress);
    this.#send(encodeFrame({ t: "bind", language, options }, code));
  }

  /** Gives it a run; it starts when those before it are over. */
  take(run: Run): void {
    this.#send(encodeFrame({ t: "run", id: this.#nextRunId++ }, run.request.input));
    if (this.#runs.push(run) === 1) this.#startFirst();
  }

  /** Ends the run, if it is the one that is running. One that was sent ahead is just not waited for. */
  cancel(run: Run): void {
    if (this.#runs[0] === run) this.end({ kind: "cancelled" });
  }

  /** False when it does not answer within `waitMs`. Only for a worker that has nothing to do. */
  async ping(waitMs: number): Promise<boolean> {
    const id = this.#nextRunId; // unique among what is on its way
    return await new Promise<boolean>((resolve) => {
      const stop = this.#options.clock.after(waitMs, () =>
        resolve(this.#runs.length > 0 || this.#endReason !== undefined),
      );
      this.#pong = (answered) => {
        if (answered !== id) return;
        stop();
        resolve(true);
      };
      this.#send(encodeFrame({ t: "ping", id }));
    });
  }

  memoryBytes(): Promise<number | undefined> {
    return this.#process.memoryBytes();
  }

  /** Kills it. Runs that were sent ahead go back to the pool at once; the one that is running is told when nothing is left. */
  end(reason: EndReason): void {
    if (this.#endReason !== undefined) return;
    this.#process.kill();
    this.#retire(reason);
  }

  #retire(reason: EndReason): void {
    this.#endReason = reason;
    // A shim that finds itself not quiet has not begun the next run.
    const nothingRuns = reason.kind === "retired" && reason.why === NOT_QUIET;
    const unstarted = this.#runs.splice(nothingRuns ? 0 : 1);
    for (const run of unstarted) run.stopTimer();
    this.#events.onRetired(unstarted);
  }

  /** The process is ending, or has closed the channel behind our back; its exit code will tell, if it comes soon. */
  #hangUp(): void {
    if (this.#endReason !== undefined) return;
    this.#retire({ kind: "hung-up" });
    this.#stopWaiting = this.#options.clock.after(HANG_UP_GRACE_MS, () => {
      this.#killedAfterHangUp = true;
      this.#process.kill();
    });
  }

  /** One write for all that this turn of the loop has for the worker: under load the system call costs more than the rest. */
  #send(frame: Buffer): void {
    if (this.#outbox.push(frame) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#process.control.write(Buffer.concat(this.#outbox));
    this.#outbox = [];
  }

  #startFirst(): void {
    const run = this.#runs[0];
    if (run === undefined) return;
    const { clock } = this.#options;
    run.start(clock.monotonicMs());
    const limitMs = run.request.timeoutMs;
    run.stopTimer = clock.after(limitMs, () => this.end({ kind: "timed-out", limitMs }));
  }

  #receive(frame: WorkerFrame): void {
    if (this.#finishing !== undefined) {
      this.#heldBack.push(frame);
      return;
    }
    if (this.#endReason !== undefined && frame.t !== "log" && frame.t !== "exit") return;
    switch (frame.t) {
      case "ready":
        if (this.#ready) throw new ProtocolError("a second ready");
        this.#ready = true;
        this.#bootMs = this.#options.clock.monotonicMs() - this.startedAtMs;
        this.#events.onReady();
        break;
      case "log":
        this.#print({ stream: frame.stream, level: frame.level, text: frame.body.toString("utf8") }, frame.body.length);
        break;
      case "result":
        this.#over(frame.id, frame.raw, valueOutcome(frame.body, this.#options.outputLimitBytes));
        break;
      case "error":
        this.#over(frame.id, frame.raw, failureOutcome(frame.body));
        break;
      case "exit":
        this.#exit(frame.id, frame.code);
        break;
      case "retire":
        this.end({ kind: "retired", why: NOT_QUIET });
        break;
      case "pong":
        this.#pong?.(frame.id);
        break;
    }
  }

  /** @throws ProtocolError when another run, or none, is running */
  #running(id: number, told: "end" | "exit"): Run {
    const run = this.#runs[0];
    if (run !== undefined && id === this.#firstRunId) return run;
    throw new ProtocolError(`the ${told} of run ${id}, which is not running`);
  }

  /** @param raw the code may have written to fd 1 and 2 itself; what it wrote lies ready to be read, one turn of the loop away */
  #over(id: number, raw: boolean, outcome: Outcome): void {
    const run = this.#running(id, "end");
    this.#writesRaw = raw;
    if (!raw) {
      this.#finish(run, outcome);
      return;
    }
    this.#finishing = outcome;
    setImmediate(() => setImmediate(() => this.#finish(run, outcome)));
  }

  #finish(run: Run, outcome: Outcome): void {
    if (this.#runs[0] !== run) return; // all of it is gone already
    this.#finishing = undefined;
    this.#runs.shift();
    this.#firstRunId++;
    this.#runsServed++;
    const nowMs = this.#options.clock.monotonicMs();
    const runMs = run.ranMs(nowMs);
    this.#restingSinceMs = nowMs;
    run.settle(outcome, nowMs);
    if (this.#endReason !== undefined) return;
    this.#startFirst();
    this.#events.onOver(run, runMs);
    for (const frame of this.#heldBack.splice(0)) this.#guarded(() => this.#receive(frame));
  }

  /** The process ends by itself now; its death must not be taken for a crash. */
  #exit(id: number, code: number): void {
    this.#running(id, "exit");
    if (this.#endReason !== undefined) return;
    this.#exitCode = code;
    this.end({ kind: "retired", why: "its code ended the process" });
  }

  #print(chunk: LogChunk, bytes: number): void {
    if (chunk.stream === "stderr") this.#stderrTail = (this.#stderrTail + chunk.text).slice(-STDERR_TAIL_CHARS);
    const limitBytes = this.#options.outputLimitBytes;
    // Between two runs there is nobody to show it to: a worker that prints then is not quiet and says so itself.
    if (this.#runs[0]?.print(chunk, bytes, limitBytes) === false) this.end({ kind: "output-limit", limitBytes });
  }

  #readRaw(stream: OutputStream, level: LogLevel): void {
    const socket = this.#process[stream];
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#print({ stream, level, text }, Buffer.byteLength(text)));
    socket.on("error", () => {});
  }

  /** Runs `read`; a worker that breaks the protocol is ended, and takes nothing with it. */
  #guarded(read: () => void): void {
    if (this.#deaf) return;
    try {
      read();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#deaf = true;
      const limitBytes = this.#options.outputLimitBytes;
      if (error instanceof FrameTooLarge) this.end({ kind: "output-limit", limitBytes });
      else this.end({ kind: "broke-protocol", detail: `it sent ${error.message}` });
    }
  }

  async #watch(drained: readonly Promise<void>[]): Promise<void> {
    const ending = await this.#process.ended;
    await Promise.all(drained);
    this.#stopWaiting();
    if (this.#endReason === undefined) this.#retire({ kind: "hung-up" });
    const run = this.#runs.shift();
    const outcome = deathOutcome(ending, {
      reason: this.#endReason,
      closedChannel: this.#killedAfterHangUp,
      exitCode: this.#exitCode,
      stderrTail: this.#stderrTail,
      memoryLimitBytes: this.#options.memoryLimitBytes,
    });
    run?.settle(this.#finishing ?? outcome, this.#options.clock.monotonicMs());
    this.#events.onGone(this.#ready ? undefined : this.#stderrTail.trim() || `it ended with ${describeEnding(ending)}`);
  }
}

const MAX_FRAME_SLACK_BYTES = 65_536; // an error's text beside the largest result
const HANG_UP_GRACE_MS = 250; // a process that dies closes its channel some milliseconds before the kernel is done with it
const NOT_QUIET = "not quiet after a run";

function closed(socket: { once(event: "close", listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}
