import type { Clock } from "../core/clock.ts";
import type { LogChunk, LogLevel, OutputStream } from "../core/log-line.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Version } from "../core/program.ts";
import type { SandboxedProcess } from "../sandbox/sandbox.ts";
import { Assignment } from "./assignment.ts";
import { Calls } from "./calls.ts";
import { deathOutcome, describeEnding, type EndReason, exitOutcome, failureOutcome, valueOutcome } from "./outcomes.ts";
import { encodeFrame, FrameReader, FrameTooLarge, ProtocolError, type Usage, type WorkerFrame } from "./protocol.ts";
import type { Run } from "./run.ts";

export type WorkerState = "booting" | "idle" | "warm" | "busy" | "ending";

export interface WorkerOptions {
  readonly clock: Clock;
  /** Of printed text a run, and of a returned value. */
  readonly outputLimitBytes: number;
  readonly memoryLimitBytes: number;
  /** Where callers reach the server, for links. */
  readonly baseUrl: () => string;
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

/** A quick run is over by then, and its worker need not be killed, nor another one be booted, only because a client went away. */
const CANCEL_GRACE_MS = 50;
const LONG_MS = 250;
const STDERR_TAIL_CHARS = 2048;
/** Of answers and inputs that lie here because the worker does not read: all that it makes us keep. */
const MOST_UNREAD_BYTES = 64 * 1024 * 1024;

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
  /** Serves what it has and takes no more. */
  #leaving = false;
  /** Sent to the worker, oldest first. Only the first is running, unless the version lets several run at once. */
  #assigned: Assignment[] = [];
  #outbox: Buffer[] = [];
  #restingSinceMs = 0;
  #background = true;
  #writesRaw = false;
  #nextRunId = 1;
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
  /** What it said last; undefined while it has not. */
  #usedCpuUs: number | undefined;
  #stderrTail = "";
  #pong: ((id: number) => void) | undefined;
  readonly #calls = new Calls((frame) => this.#send(frame));
  #lastRun: Run | undefined;

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
    return this.#assigned.length === 0 ? "warm" : "busy";
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
    return this.#assigned.length;
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
    const { program, concurrency, env } = version;
    const { language, options, code } = program;
    this.#process.allowEgress(version.egress);
    const owner = version.function;
    const told = owner && {
      id: owner.id,
      name: owner.name,
      version: String(owner.number),
      baseUrl: this.#options.baseUrl(),
    };
    this.#send(encodeFrame({ t: "bind", language, options, concurrency, env, function: told }, code));
  }

  /** Gives it a run; it starts when those before it are over, or at once where the version lets several run. */
  take(run: Run): void {
    const assignment = new Assignment(this.#nextRunId++, run, (frame) => this.#send(frame));
    this.#send(assignment.question);
    this.#assigned.push(assignment);
    run.worker = this;
    if (this.#parallel || this.#assigned.length === 1) this.#start(assignment);
  }

  /** Ends the run, if it is running and does not end by itself. One that was sent ahead is just not waited for. */
  cancel(run: Run): void {
    const assignment = this.#assigned.find((candidate) => candidate.run === run);
    if (assignment?.started !== true) return;
    if (this.#parallel) this.#drop(assignment, { kind: "cancelled" });
    else {
      run.stopTimer();
      run.stopTimer = this.#options.clock.after(CANCEL_GRACE_MS, () => this.end({ kind: "cancelled" }));
    }
  }

  /** False when it does not answer within `waitMs`. Only for a worker that has nothing to do. */
  async ping(waitMs: number): Promise<boolean> {
    const id = this.#nextRunId; // unique among what is on its way
    return await new Promise<boolean>((resolve) => {
      const stop = this.#options.clock.after(waitMs, () =>
        resolve(this.#assigned.length > 0 || this.#endReason !== undefined),
      );
      this.#pong = (answered) => {
        if (answered !== id) return;
        stop();
        resolve(true);
      };
      this.#send(encodeFrame({ t: "ping", id }));
    });
  }

  /** Whether other workers, known to be quick, and the server go first. It begins so. */
  setBackground(background: boolean): void {
    if (background === this.#background) return;
    this.#background = background;
    this.#process.setBackground(background);
  }

  /** What it has been at for long belongs into the background, whatever its version was like before, and must not starve there. */
  lookAfterLongWork(nowMs: number): void {
    const busyMs = this.#ready ? (this.#assigned[0]?.run.ranMs(nowMs) ?? 0) : nowMs - this.startedAtMs;
    if (busyMs < LONG_MS) return;
    if (this.#background) this.#process.relieve();
    else this.setBackground(true);
  }

  memoryBytes(): Promise<number | undefined> {
    return this.#process.memoryBytes();
  }

  /** Kills it. Runs that were sent ahead go back to the pool at once; those that are running are told when nothing is left. */
  end(reason: EndReason): void {
    if (this.#endReason !== undefined) return;
    this.#process.kill();
    this.#retire(reason);
  }

  /** True where its version lets several runs be on at once. */
  get #parallel(): boolean {
    return (this.#version?.concurrency ?? 1) > 1;
  }

  #retire(reason: EndReason): void {
    this.#endReason = reason;
    // A shim that finds itself not quiet has not begun the next run.
    const nothingRuns = reason.kind === "retired" && reason.why === NOT_QUIET;
    const unstarted = this.#parallel ? [] : this.#assigned.splice(nothingRuns ? 0 : 1);
    for (const { run } of unstarted) {
      run.stopTimer();
      run.worker = undefined;
    }
    if (this.#leaving && unstarted.length === 0) return; // its owner knows already
    this.#events.onRetired(unstarted.map(({ run }) => run));
  }

  /** Takes no more runs, and ends when those that it has are over. */
  leave(): void {
    if (this.#leaving || this.#endReason !== undefined) return;
    this.#leaving = true;
    this.#events.onRetired([]);
    this.#endIfLeft();
  }

  #endIfLeft(): void {
    const awaited = this.#assigned.some(({ dropped }) => !dropped);
    if (this.#leaving && !awaited) this.end({ kind: "retired", why: "it was to end with its runs" });
  }

  /** Nobody waits for this one any more; the others of its worker go on. */
  #drop(assignment: Assignment, outcome: Outcome): void {
    const nowMs = this.#options.clock.monotonicMs();
    const leftMs = assignment.run.request.timeoutMs - assignment.run.ranMs(nowMs);
    assignment.dropped = true;
    assignment.stop();
    assignment.run.settle(outcome, nowMs);
    this.#send(encodeFrame({ t: "cancel", id: assignment.id }));
    // What does not end in its time leaves no worker that could be trusted with more.
    if (leftMs <= 0) this.leave();
    else assignment.run.stopTimer = this.#options.clock.after(leftMs, () => this.leave());
    this.#endIfLeft();
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
    if (this.#endReason !== undefined) return;
    if (this.#process.control.writableLength > MOST_UNREAD_BYTES) {
      this.end({ kind: "broke-protocol", detail: "it did not read what it asked for" });
      return;
    }
    if (this.#outbox.push(frame) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#process.control.write(Buffer.concat(this.#outbox));
    this.#outbox = [];
  }

  #start(assignment: Assignment): void {
    const { clock } = this.#options;
    const { run } = assignment;
    assignment.start(clock.monotonicMs());
    run.stopTimer = clock.after(run.request.timeoutMs, () => this.#timeUp(assignment));
  }

  #timeUp(assignment: Assignment): void {
    const outcome = { kind: "timed-out", limitMs: assignment.run.request.timeoutMs } as const;
    if (this.#parallel) this.#drop(assignment, outcome);
    else this.end(outcome);
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
        this.#usedCpuUs = frame.used?.cpuUs;
        this.#bootMs = this.#options.clock.monotonicMs() - this.startedAtMs;
        this.#events.onReady();
        break;
      case "log": {
        const { stream, level, body } = frame;
        this.#print({ stream, level, text: body.toString("utf8") }, body.length, frame.run);
        break;
      }
      case "result":
        this.#over(frame, valueOutcome(frame.body, this.#options.outputLimitBytes));
        break;
      case "error":
        this.#over(frame, failureOutcome(frame.body));
        break;
      case "response":
      case "body":
        this.#respond(frame);
        break;
      case "credit":
        this.#running(frame.id, "credit").credit(frame.bytes);
        break;
      case "call":
        this.#call(frame);
        break;
      case "exit":
        if (frame.stays) this.#over({ ...frame, raw: false }, exitOutcome(frame.code));
        else this.#exit(frame.id, frame.code);
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
  #running(id: number, told: string): Assignment {
    const [first] = this.#assigned;
    const found = first?.id === id ? first : this.#assigned.find((candidate) => candidate.id === id);
    if (found?.started === true) return found;
    throw new ProtocolError(`the ${told} of run ${id}, which is not running`);
  }

  #respond(frame: WorkerFrame & { readonly t: "response" | "body" }): void {
    const assignment = this.#running(frame.id, frame.t);
    const nowMs = this.#options.clock.monotonicMs();
    const complaint =
      frame.t === "response" ? assignment.respond(frame, nowMs) : assignment.passOn(frame.body, frame.end, nowMs);
    if (complaint === undefined) {
      if (frame.end) this.#over(frame, { kind: "responded", status: assignment.status ?? 0 });
      return;
    }
    const outcome = { kind: "failed", name: "InvalidResponse", message: complaint, stack: "" } as const;
    if (frame.end) this.#over(frame, outcome);
    else if (this.#parallel) this.#drop(assignment, outcome);
    else {
      assignment.run.settle(outcome, nowMs);
      this.end({ kind: "retired", why: "nobody takes what it answers" });
    }
  }

  /** Work that goes on behind the end of its run asks in the name of the worker's last one. */
  #call(frame: WorkerFrame & { readonly t: "call" }): void {
    const running = this.#assigned.find(({ id, started }) => id === frame.run && started);
    this.#calls.ask(frame, running?.run ?? this.#lastRun);
  }

  /** `raw`: the code may have written to fd 1 and 2 itself; what it wrote lies ready to be read, one turn of the loop away. */
  #over(
    { id, raw, used }: { readonly id: number; readonly raw: boolean; readonly used: Usage | undefined },
    outcome: Outcome,
  ): void {
    const assignment = this.#running(id, "end");
    if (used !== undefined) this.#charge(assignment.run, used);
    this.#writesRaw = raw;
    if (!raw || this.#parallel) {
      this.#finish(assignment, outcome);
      return;
    }
    this.#finishing = outcome;
    setImmediate(() => setImmediate(() => this.#finish(assignment, outcome)));
  }

  /** What the worker has used since the end of the run before. */
  #charge(run: Run, { cpuUs, peakKib }: Usage): void {
    if (this.#usedCpuUs !== undefined && cpuUs >= this.#usedCpuUs) run.cpuMs = (cpuUs - this.#usedCpuUs) / 1000;
    this.#usedCpuUs = cpuUs;
    if (peakKib !== undefined) run.peakMemoryBytes = peakKib * 1024;
  }

  #finish(assignment: Assignment, outcome: Outcome): void {
    const at = this.#assigned.indexOf(assignment);
    if (at < 0) return; // all of it is gone already
    this.#finishing = undefined;
    this.#assigned.splice(at, 1);
    assignment.stop();
    this.#runsServed++;
    const { run } = assignment;
    this.#lastRun = run;
    const nowMs = this.#options.clock.monotonicMs();
    const runMs = run.ranMs(nowMs);
    this.#restingSinceMs = nowMs;
    run.settle(outcome, nowMs);
    if (this.#endReason !== undefined) return;
    const [next] = this.#assigned;
    if (next?.started === false) this.#start(next);
    if (this.#leaving) this.#endIfLeft();
    else this.#events.onOver(run, runMs);
    for (const frame of this.#heldBack.splice(0)) this.#guarded(() => this.#receive(frame));
  }

  /** The process ends by itself now; its death must not be taken for a crash. */
  #exit(id: number, code: number): void {
    this.#running(id, "exit");
    if (this.#endReason !== undefined) return;
    this.#exitCode = code;
    this.end({ kind: "retired", why: "its code ended the process" });
  }

  /** @param runId whose text it is; undefined: the oldest that is running */
  #print(chunk: LogChunk, bytes: number, runId?: number): void {
    if (chunk.stream === "stderr") this.#stderrTail = (this.#stderrTail + chunk.text).slice(-STDERR_TAIL_CHARS);
    const limitBytes = this.#options.outputLimitBytes;
    const owner = this.#assigned.find(({ id }) => id === runId) ?? this.#assigned[0];
    // Between two runs there is nobody to show it to: a worker that prints then is not quiet and says so itself.
    if (owner?.run.print(chunk, bytes, limitBytes) === false) this.end({ kind: "output-limit", limitBytes });
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
    const outcome = deathOutcome(ending, {
      reason: this.#endReason,
      closedChannel: this.#killedAfterHangUp,
      exitCode: this.#exitCode,
      stderrTail: this.#stderrTail,
      memoryLimitBytes: this.#options.memoryLimitBytes,
    });
    const nowMs = this.#options.clock.monotonicMs();
    for (const assignment of this.#assigned.splice(0)) {
      assignment.stop();
      assignment.run.peakMemoryBytes ??= ending.peakMemoryBytes;
      assignment.run.settle(this.#finishing ?? outcome, nowMs);
    }
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
