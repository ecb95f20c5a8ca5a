// What the doctor's parts say to each other. Types only: the doctor itself is plain JavaScript, since it must run on a Node
// that cannot start the server.

/** One thing that was looked at. */
export interface Finding {
  /** Stays the same from release to release, for scripts that read `--json`. */
  readonly id: string;
  /** `problem`: the server does not start, or not safely. `warning`: it starts, and something is worse than it could be. */
  readonly level: "ok" | "info" | "warning" | "problem";
  readonly what: string;
  /** What it costs to leave it so. */
  readonly cost?: string;
  /** Shell commands, or the lines to change where no command can. */
  readonly fix?: readonly string[];
  /** True where `--fix` may run the commands: they are complete, and nobody loses anything by them. */
  readonly canFix: boolean;
  /** The commands of `fix` need root. */
  readonly needsRoot?: boolean;
}

/** Everything that the checks see of the world, so that a test can describe any machine as plain data. */
export interface Machine {
  readonly platform: string;
  /** As Node names it: `x64`, `arm64`. */
  readonly arch: string;
  readonly cores: number;
  readonly uid: number;
  /** Of the Node that runs the doctor: `v20.1.0`. */
  readonly nodeVersion: string;
  /** The folder of the product, absolute. */
  readonly productDir: string;
  /** The folder that relative settings begin at, absolute. */
  readonly workDir: string;
  /** The environment over the file `.env`, as the server sees it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; undefined where it cannot be read. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** Whether this user may write there; false on a read-only file system, too. */
  writable(path: string): boolean;
  /** Names in a folder; none where it cannot be read. */
  list(path: string): readonly string[];
  /** Without links; undefined where nothing is there. */
  realPath(path: string): string | undefined;
  stat(path: string): { readonly mode: number; readonly uid: number } | undefined;
  /** Of the file system that `path` lies on. `inodes` is 0 where the file system has no fixed number of them. */
  fileSystem(
    path: string,
  ):
    | { readonly type: number; readonly freeBytes: number; readonly inodes: number; readonly freeInodes: number }
    | undefined;
  /** Runs to the end, with an empty environment; `code` is undefined where the command could not be started or took too long. */
  run(command: string, args: readonly string[], options?: { readonly uid?: number }): CommandResult;
  /** Listens for a moment; the error's code (`EADDRINUSE`) where that is refused. */
  listen(host: string, port: number): Promise<string | undefined>;
}

export interface CommandResult {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Every check in the order of the report. Changes nothing, and leaves nothing behind. */
export function examine(machine: Machine): Promise<Finding[]>;
