// One execution: how it went, why, with what, and again.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { send, urlOf } from "../../api/client.ts";
import { keys, LIVE_MS } from "../../api/queries.ts";
import type { ExecutionWithAll } from "../../api/schema.ts";
import { parseKeepingDigits } from "../../components/executions/digits.ts";
import { EventView, ResponseView } from "../../components/executions/exchange-view.tsx";
import { LogView } from "../../components/executions/log-view.tsx";
import { Timeline } from "../../components/executions/timeline.tsx";
import { useLogs } from "../../components/executions/use-logs.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { Page, PageLoading } from "../../components/page.tsx";
import { Section } from "../../components/section.tsx";
import { isFailure, StatusBadge } from "../../components/status-badge.tsx";
import { executionMessages } from "../../messages/executions.ts";
import { Group, Stack, Text } from "@mantine/core";
import { ExecutionActions } from "./execution-actions.tsx";
import { ExecutionFacts } from "./execution-facts.tsx";
import { ExecutionFault } from "./execution-fault.tsx";
import classes from "./execution-page.module.css";

export default function ExecutionPage({ id }: { id: string }) {
  const text = executionMessages.use();
  const {
    data: execution,
    error,
    refetch,
  } = useQuery({
    queryKey: keys.execution(id),
    queryFn: async ({ signal }) => {
      const response = await send(urlOf("/api/executions/{id}", { id }), { signal });
      return parseKeepingDigits(await response.text()) as ExecutionWithAll;
    },
    refetchInterval: ({ state }) => (state.data?.status === "running" ? LIVE_MS : false),
  });
  if (execution === undefined)
    return (
      <Page title={text.execution}>
        {error === null ? <PageLoading /> : <FaultNotice error={error} onRetry={() => void refetch()} />}
      </Page>
    );
  return <Loaded execution={execution} />;
}

function Loaded({ execution }: { execution: ExecutionWithAll }) {
  const text = executionMessages.use();
  const client = useQueryClient();
  const { id, functionName, status, waitMs, runMs, coldStart, event, response } = execution;
  const logs = useLogs(id, () => void client.invalidateQueries({ queryKey: keys.execution(id) }));
  const isRunning = status === "running";
  const name = functionName ?? text.adHoc;
  return (
    <Page
      title={`${text.execution} · ${name}`}
      heading={
        <Group gap="md" component="span">
          {name}
          <StatusBadge status={status} />
        </Group>
      }
      actions={<ExecutionActions execution={execution} />}
    >
      <Stack gap="xl">
        <ExecutionFacts execution={execution} />
        {isFailure(status) ? <ExecutionFault execution={execution} /> : null}
        <Section title={text.timeline} card={false}>
          {isRunning ? (
            <Text size="sm" c="dimmed">
              {text.stillRunning}
            </Text>
          ) : (
            <Timeline waitMs={waitMs} runMs={runMs} coldStart={coldStart} />
          )}
        </Section>
        <Section title={text.logs} card={false}>
          <LogView
            lines={logs.lines}
            isOpen={logs.isOpen}
            isFollowed={isRunning}
            isTruncated={execution.logsTruncated}
          />
        </Section>
        <div className={classes.sides}>
          <Section title={text.event} card={false}>
            {event === undefined ? <Missing>{text.noEvent}</Missing> : <EventView event={event} />}
          </Section>
          <Section title={text.response} card={false}>
            {response === undefined ? (
              <Missing>{isRunning ? text.noResponseRunning : text.noResponse}</Missing>
            ) : (
              <ResponseView response={response} />
            )}
          </Section>
        </div>
      </Stack>
    </Page>
  );
}

function Missing({ children }: { children: string }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}
