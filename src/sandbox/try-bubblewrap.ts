import { spawnSync } from "node:child_process";

/** What the machine lets bubblewrap do. */
export interface Ability {
  /** False in a container whose own `/proc` is masked: the kernel then lets nobody mount a whole one. */
  readonly proc: boolean;
}

const NOBODY = 65_534;
// As pid 1, else bwrap's own first process is left to the host's init, which may be our server that reaps no strangers.
const NAMESPACES = ["--unshare-all", "--unshare-user", "--die-with-parent", "--as-pid-1", "--ro-bind", "/", "/"];

/**
 * Starts one empty box, without limits and without user code.
 *
 * @param run how bubblewrap is started; tests describe other machines with it
 * @throws Error with what bubblewrap printed and what to do, where there can be no box at all
 */
export function tryBubblewrap(path: string, run: (options: readonly string[]) => Attempt = attempt(path)): Ability {
  const whole = run([...NAMESPACES, "--proc", "/proc"]);
  if (whole.ok) return { proc: true };
  if (run(NAMESPACES).ok) return { proc: false };
  throw new Error(`bubblewrap cannot make a sandbox here: ${whole.printed}. "npm run doctor" says why and what to do`);
}

interface Attempt {
  readonly ok: boolean;
  /** What bubblewrap printed. */
  readonly printed: string;
}

function attempt(path: string): (options: readonly string[]) => Attempt {
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  return (options) => {
    const { status, stderr, error } = spawnSync(path, [...options, "/bin/true"], {
      cwd: "/",
      env: {},
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
      ...asNobody,
    });
    return { ok: status === 0, printed: error?.message ?? stderr.trim() };
  };
}
