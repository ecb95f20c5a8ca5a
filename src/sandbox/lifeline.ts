// How a process that the server has forked notices that the server is gone, even by SIGKILL: its stdin is a pipe that nobody else holds.
// Node's "disconnect" is no proof: it never comes where a handle was on its way to the server (Node 24, `_handleQueue` in
// `internal/child_process`), and a nursery that was just starting a box would stay for ever, with its boxes.

/** For `fork`. */
export const LIFELINE_STDIO = ["pipe", "inherit", "inherit", "ipc"] as const;

/** Calls `end` once, when the server that forked this process with LIFELINE_STDIO is gone. */
export function onServerGone(end: () => void): void {
  process.stdin.on("error", () => {}); // "close" follows
  process.stdin.once("close", end).resume();
}
