import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { sleep, systemClock } from "../../core/clock.ts";
import { LAUNCH_FD } from "../bubblewrap.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { killQuietly } from "../kill-quietly.ts";
import type { Ending } from "../sandbox.ts";
import { Starvation } from "./starvation.ts";

/** What it takes to start one box. */
export interface BoxPlan {
  readonly launchScript: string;
  /** Holds bwrap's options, each ended by NUL: in a file, so that no value shows in `ps`. */
  readonly optionsFile: string;
  readonly seccompFile: string;
  /** Options of this box alone. */
  readonly ownOptions: readonly string[];
  readonly command: readonly string[];
  /** Makes the box's cgroup; called when the launcher already waits at its gate, so that both start at the same time. */
  readonly createCgroup: () => Cgroup;
  /** True when the box waits, its namespaces made, until its cgroup has limited its first process. */
  readonly held: boolean;
  /** The user that the launcher runs as; undefined: the server's own. */
  readonly uid: number | undefined;
}

const SEES_STARVATION = existsSync("/proc/self/schedstat"); // else nothing is put where it may starve
const RELIEF_MS = 1_000; // before Linux 6.6 a box that comes from the background waits longest: its debts are counted at its old weight
const REMOVE_TRIES = 1000; // what has not gone by then is swept by the next server
const UNBORN_LIMIT_MS = 1000; // hundreds of times what it takes
const REMOVE_RETRY_MS = 3; // a killed process takes a few milliseconds to leave its cgroup

/** One box from its start until nothing of it is left. Lives in the nursery process. */
export class Box {
  readonly control: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly ended: Promise<Ending>;
  readonly #launcher: ChildProcess;
  readonly #cgroup: Cgroup;
  #initPid: number | undefined;
  #background = false;
  readonly #starvation = new Starvation();
  #killed = false;
  #gone = false;

  /** Throws where the process cannot be started or put under its limits; then nothing is left of it. */
  constructor(plan: BoxPlan) {
    const { uid } = plan;
    const args = openSync(plan.optionsFile, "r");
    const seccomp = openSync(plan.seccompFile, "r");
    try {
      this.#launcher = spawn("/bin/sh", ["-c", plan.launchScript, "sh", ...plan.ownOptions, "--", ...plan.command], {
        cwd: "/",
        env: {},
        detached: true, // out of the terminal's process group: Ctrl-C is for the server, which lets runs end first
        // stdin, stdout, stderr, then LAUNCH_FD in its order
        stdio: [
          "ignore",
          "pipe",
          "pipe",
          "pipe",
          "pipe",
          args,
          "pipe",
          seccomp,
          ...(plan.held ? ["pipe" as const] : []),
        ],
        ...(uid === undefined ? {} : { uid, gid: uid }), // never uid 0 outside: root could write /proc/sys from within
      });
    } finally {
      closeSync(args);
      closeSync(seccomp);
    }
    this.#launcher.on("error", ignore); // no pid then, which we look at below
    const pipes = this.#launcher.stdio as unknown as readonly Socket[];
    const [, stdout, stderr] = pipes;
    const control = pipes[LAUNCH_FD.control];
    const gate = pipes[LAUNCH_FD.gate];
    const info = pipes[LAUNCH_FD.info];
    const { pid } = this.#launcher;
    if (pid === undefined || !stdout || !stderr || !control || !gate || !info) {
      throw new Error("the launcher could not be started (out of processes, memory or descriptors?)");
    }
    this.control = control;
    this.stdout = stdout;
    this.stderr = stderr;
    for (const socket of [control, stdout, stderr]) stopReading(socket);
    const hold = plan.held ? pipes[LAUNCH_FD.hold] : undefined;
    for (const pipe of [gate, info, hold]) pipe?.on("error", ignore); // the launcher may die before it has read
    this.#readInitPid(info, (initPid) => {
      if (hold === undefined) return;
      try {
        this.#cgroup.onHeld?.(initPid);
        hold.end("go\n");
      } catch {
        this.kill(); // held back for good: nothing runs without its limits
      }
    });
    try {
      this.#cgroup = limited(pid, plan.createCgroup);
      this.setBackground(true);
    } catch (error) {
      this.#launcher.kill("SIGKILL"); // still at the gate: no user code has run outside its limits
      throw error;
    }
    this.ended = this.#exited();
    gate.end("go\n");
  }

  kill(): void {
    if (this.#gone) return;
    this.#killed = true;
    this.#cgroup.hurry?.();
    // The namespace's init takes all with it; its parent, the launcher, then reaps it and no zombie goes to the host.
    if (this.#initPid !== undefined) {
      killQuietly(this.#initPid);
      this.#cgroup.kill(this.#launcher.pid); // at once, too: among 64 busy processes the first one waits for its turn to die
    } else void this.#killUnborn();
  }

  /**
   * The launcher is about to make the first process, which dies with it only once it has asked the kernel for that: killed in between,
   * it would leave an orphan that holds our sockets. So its pid is waited for; who tells none in all this time has none.
   */
  async #killUnborn(): Promise<void> {
    await sleep(UNBORN_LIMIT_MS);
    if (!this.#gone && this.#initPid === undefined) this.#launcher.kill("SIGKILL");
  }

  setBackground(background: boolean): void {
    this.#background = background;
    this.#place(background);
  }

  /** A look every half second, say, keeps it from starving in the background: it is fetched out of there for a while. */
  relieve(): void {
    if (!this.#background || !this.#starvation.look(this.#cgroup.pids?.() ?? [], systemClock.monotonicMs())) return;
    this.#place(false);
    systemClock.after(RELIEF_MS, () => this.#place(this.#background));
  }

  #place(background: boolean): void {
    if (!this.#killed && SEES_STARVATION) this.#cgroup.setBackground?.(background);
  }

  memoryBytes(): number | undefined {
    return this.#cgroup.memoryBytes();
  }

  /** Reads to the end: bwrap writes in pieces, and a closed pipe would kill it with SIGPIPE. */
  #readInitPid(info: Socket, onPid: (initPid: number) => void): void {
    let text = "";
    info.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const match = /"child-pid": (\d+)/.exec(text);
      if (match === null || this.#initPid !== undefined || this.#gone) return;
      this.#initPid = Number(match[1]);
      if (this.#killed) killQuietly(this.#initPid);
      else onPid(this.#initPid);
    });
  }

  async #exited(): Promise<Ending> {
    const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.#launcher.on("exit", (code, name) => resolve([code, name]));
    });
    this.#gone = true;
    this.#initPid = undefined; // the number may belong to another process from now on
    const outOfMemory = this.#cgroup.outOfMemory();
    const peakMemoryBytes = this.#cgroup.peakMemoryBytes();
    for (let tries = 0; !this.#cgroup.remove() && tries < REMOVE_TRIES; tries++) {
      this.#cgroup.kill();
      await sleep(REMOVE_RETRY_MS);
    }
    return { exitCode, signal, outOfMemory, peakMemoryBytes };
  }
}

/**
 * Node reads from a child's pipes at once, and what it has read when a socket is handed over is lost: the server would never hear of a
 * box that was ready by then. There is no public way to stop it.
 */
function stopReading(socket: Socket): void {
  (socket as unknown as { readonly _handle: { readStop(): void } })._handle.readStop();
}

function limited(pid: number, createCgroup: () => Cgroup): Cgroup {
  const cgroup = createCgroup();
  try {
    cgroup.add(pid);
  } catch (error) {
    cgroup.remove();
    throw error;
  }
  return cgroup;
}

function ignore(): void {}
