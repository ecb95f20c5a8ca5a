import type { ReactNode } from "react";
import { Link } from "wouter";
import type { JobWithAll } from "../../api/schema.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useFormat } from "../../i18n/format.ts";
import { jobMessages } from "../../messages/jobs.ts";
import { paths } from "../../router.ts";
import { kindName } from "./job-table.tsx";
import classes from "./jobs.module.css";

/** The line of what is known of a job. */
export function JobFacts({ job }: { job: JobWithAll }) {
  const text = jobMessages.use();
  const format = useFormat();
  const { functionName, attemptsMade, attempts, priority, version, timeoutMs, callbackUrl } = job;
  return (
    <dl className={classes.facts}>
      {functionName === undefined ? null : (
        <Fact label={text.functionField}>
          <Link href={paths.function(functionName)}>{functionName}</Link>
        </Fact>
      )}
      <Fact label={text.kind}>{kindName(job, text)}</Fact>
      <Fact label={text.attempts}>{text.attemptsOf(format.number(attemptsMade), format.number(attempts))}</Fact>
      <Fact label={text.created}>
        <TimeAgo time={job.createdAt} />
      </Fact>
      {job.scheduledAt === undefined ? null : <Fact label={text.scheduledAt}>{format.time(job.scheduledAt)}</Fact>}
      {job.nextAttemptAt === undefined ? null : <Fact label={text.next}>{format.time(job.nextAttemptAt)}</Fact>}
      {job.finishedAt === undefined ? null : (
        <Fact label={text.finished}>
          <TimeAgo time={job.finishedAt} />
        </Fact>
      )}
      {priority === 0 ? null : <Fact label={text.priority}>{priority}</Fact>}
      {version === undefined ? null : <Fact label={text.version}>{version}</Fact>}
      {timeoutMs === undefined ? null : <Fact label={text.timeLimit}>{format.duration(timeoutMs)}</Fact>}
      {callbackUrl === undefined ? null : (
        <Fact label={text.callbackUrl}>
          <span className={classes.mono}>{callbackUrl}</span>
        </Fact>
      )}
      <Fact label={text.id}>
        <span className={classes.mono}>{job.id}</span>
        <CopyButton value={job.id} label={text.copyId} />
      </Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
