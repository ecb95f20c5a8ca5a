import type { Execution } from "../api/schema.ts";
import { statusMessages } from "../messages/status.ts";
import classes from "./status-badge.module.css";

const TONES: Readonly<Record<Execution["status"], string>> = {
  running: "live",
  success: "good",
  error: "bad",
  timeout: "bad",
  oom: "bad",
  killed: "bad",
  cancelled: "quiet",
};

/** How an execution ended: a dot and a word, so that nobody has to tell colours apart. */
export function StatusBadge({ status }: { status: Execution["status"] }) {
  const text = statusMessages.use();
  return (
    <span className={classes.badge} data-tone={TONES[status]}>
      {text[status]}
    </span>
  );
}

export function isFailure(status: Execution["status"]): boolean {
  return TONES[status] === "bad";
}
