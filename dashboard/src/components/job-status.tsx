import type { Job } from "../api/schema.ts";
import { jobMessages } from "../messages/jobs.ts";
import classes from "./status-badge.module.css";

const TONES: Readonly<Record<Job["status"], string>> = {
  queued: "quiet",
  running: "live",
  completed: "good",
  dead: "bad",
  cancelled: "quiet",
};

/** How far a job is, with the marks that executions have. */
export function JobStatus({ status }: { status: Job["status"] }) {
  const text = jobMessages.use();
  return (
    <span className={classes.badge} data-tone={TONES[status]}>
      {text[status]}
    </span>
  );
}
