import { Table, Text } from "@mantine/core";
import { Link } from "wouter";
import type { Job } from "../../api/schema.ts";
import { JobStatus } from "../../components/job-status.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useFormat } from "../../i18n/format.ts";
import { jobMessages } from "../../messages/jobs.ts";
import { paths } from "../../router.ts";
import classes from "./jobs.module.css";

export function JobTable({ items }: { items: readonly Job[] }) {
  const text = jobMessages.use();
  return (
    <div className="card">
      <Table.ScrollContainer minWidth={720}>
        <Table verticalSpacing="xs" horizontalSpacing="md" highlightOnHover aria-label={text.title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{text.status}</Table.Th>
              <Table.Th>{text.functionField}</Table.Th>
              <Table.Th>{text.kind}</Table.Th>
              <Table.Th>{text.attempts}</Table.Th>
              <Table.Th>{text.created}</Table.Th>
              <Table.Th>{text.error}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((job) => (
              <Row key={job.id} job={job} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </div>
  );
}

function Row({ job }: { job: Job }) {
  const text = jobMessages.use();
  const format = useFormat();
  const { id, status, functionName, attemptsMade, attempts, createdAt, nextAttemptAt, error } = job;
  const isWaiting = nextAttemptAt !== undefined && new Date(nextAttemptAt).getTime() > Date.now();
  return (
    <Table.Tr>
      <Table.Td>
        <JobStatus status={status} />
        {isWaiting ? (
          <Text size="xs" c="dimmed" title={format.time(nextAttemptAt)}>
            {format.ago(nextAttemptAt)}
          </Text>
        ) : null}
      </Table.Td>
      <Table.Td>
        <Link href={paths.job(id)} className={classes.link}>
          {functionName ?? text.goneFunction}
        </Link>
      </Table.Td>
      <Table.Td>{kindName(job, text)}</Table.Td>
      <Table.Td>{text.attemptsOf(format.number(attemptsMade), format.number(attempts))}</Table.Td>
      <Table.Td>
        <TimeAgo time={createdAt} />
      </Table.Td>
      <Table.Td className={classes.error} title={error}>
        {error?.split("\n", 1)[0]}
      </Table.Td>
    </Table.Tr>
  );
}

/** One that this dashboard does not know is shown as the server calls it. */
export function kindName({ kind }: Pick<Job, "kind">, text: ReturnType<typeof jobMessages.use>): string {
  return kind === "invocation" || kind === "cron" || kind === "callback" ? text[kind] : kind;
}
