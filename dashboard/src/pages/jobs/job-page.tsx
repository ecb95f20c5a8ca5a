// One job: how far it is, each of its attempts, what it was asked and what it answered.
import { Group, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { send, urlOf } from "../../api/client.ts";
import { keys, LIVE_MS } from "../../api/queries.ts";
import { type JobWithAll, ROUTES } from "../../api/schema.ts";
import { CodeBlock } from "../../components/executions/code-block.tsx";
import { parseKeepingDigits, pretty } from "../../components/executions/digits.ts";
import { ResponseView } from "../../components/executions/exchange-view.tsx";
import { FaultBox } from "../../components/executions/fault-box.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { JobStatus } from "../../components/job-status.tsx";
import { Page, PageLoading } from "../../components/page.tsx";
import { Section } from "../../components/section.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useFormat } from "../../i18n/format.ts";
import { jobMessages } from "../../messages/jobs.ts";
import { paths } from "../../router.ts";
import { JobActions } from "./job-actions.tsx";
import { JobFacts } from "./job-facts.tsx";
import classes from "./jobs.module.css";

export default function JobPage({ id }: { id: string }) {
  const text = jobMessages.use();
  const {
    data: job,
    error,
    refetch,
  } = useQuery({
    queryKey: keys.job(id),
    queryFn: async ({ signal }) => {
      const response = await send(urlOf(ROUTES.readJob[1], { id }), { signal });
      return parseKeepingDigits(await response.text()) as JobWithAll;
    },
    structuralSharing: false, // it would take the numbers apart whose digits were kept
    refetchInterval: ({ state }) => (state.data === undefined || isOver(state.data) ? false : LIVE_MS),
  });
  if (job === undefined)
    return (
      <Page title={text.job}>
        {error === null ? <PageLoading /> : <FaultNotice error={error} onRetry={() => void refetch()} />}
      </Page>
    );
  const name = job.functionName ?? text.goneFunction;
  return (
    <Page
      title={`${text.job} · ${name}`}
      heading={
        <Group gap="md" component="span">
          {name}
          <JobStatus status={job.status} />
        </Group>
      }
      actions={<JobActions job={job} />}
    >
      <Stack gap="xl">
        <JobFacts job={job} />
        {job.error === undefined ? null : (
          <FaultBox title={text.whatWentWrong}>
            <CodeBlock text={job.error} label={text.error} />
          </FaultBox>
        )}
        <Section title={text.history}>
          <Attempts job={job} />
        </Section>
        <div className={classes.sides}>
          <Section title={job.request === undefined ? text.input : text.request} card={false}>
            <Asked job={job} />
          </Section>
          <Section title={job.response === undefined ? text.result : text.response} card={false}>
            <Answered job={job} />
          </Section>
        </div>
      </Stack>
    </Page>
  );
}

function Attempts({ job: { history } }: { job: JobWithAll }) {
  const text = jobMessages.use();
  const format = useFormat();
  if (history.length === 0) return <Dimmed pad>{text.noAttempts}</Dimmed>;
  return (
    <Table.ScrollContainer minWidth={560}>
      <Table verticalSpacing="xs" horizontalSpacing="md">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.number}</Table.Th>
            <Table.Th>{text.started}</Table.Th>
            <Table.Th>{text.took}</Table.Th>
            <Table.Th>{text.error}</Table.Th>
            <Table.Th>{text.execution}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {history.map(({ number, executionId, startedAt, endedAt, error }) => (
            <Table.Tr key={executionId}>
              <Table.Td>{number}</Table.Td>
              <Table.Td>
                <TimeAgo time={startedAt} />
              </Table.Td>
              <Table.Td>
                {endedAt === undefined
                  ? "…"
                  : format.duration(new Date(endedAt).getTime() - new Date(startedAt).getTime())}
              </Table.Td>
              <Table.Td className={classes.error} title={error}>
                {error?.split("\n", 1)[0]}
              </Table.Td>
              <Table.Td>
                <Link href={paths.execution(executionId)}>{text.seeExecution}</Link>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Asked({ job: { request, input } }: { job: JobWithAll }) {
  const text = jobMessages.use();
  if (request === undefined) {
    return input === undefined ? (
      <Dimmed>{text.noResult}</Dimmed>
    ) : (
      <CodeBlock text={pretty(input)} label={text.input} />
    );
  }
  const { method, path, query } = request;
  return (
    <>
      <CodeBlock text={`${method} ${path}${query === "" ? "" : `?${query}`}`} label={text.request} />
      <Dimmed>{text.requestHint}</Dimmed>
    </>
  );
}

function Answered({ job }: { job: JobWithAll }) {
  const text = jobMessages.use();
  const { response, result, resultDropped } = job;
  if (response !== undefined) {
    return <ResponseView response={{ ...response, headers: Object.fromEntries(response.headers) }} />;
  }
  if (result !== undefined) return <CodeBlock text={pretty(result)} label={text.result} />;
  return <Dimmed>{resultDropped === true ? text.dropped : isOver(job) ? text.noResult : text.notYet}</Dimmed>;
}

function isOver({ status }: JobWithAll): boolean {
  return status !== "queued" && status !== "running";
}

function Dimmed({ children, pad = false }: { children: ReactNode; pad?: boolean }) {
  return (
    <Text size="sm" c="dimmed" mt={4} p={pad ? "md" : 0}>
      {children}
    </Text>
  );
}
