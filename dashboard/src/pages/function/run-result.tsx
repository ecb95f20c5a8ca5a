import { Alert, Code, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { Link } from "wouter";
import { showJson } from "../../api/exact-json.ts";
import type { LogLine, Result } from "../../api/schema.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { useFormat } from "../../i18n/format.ts";
import { functionMessages } from "../../messages/function.ts";
import { paths } from "../../router.ts";
import classes from "./function.module.css";
import type { RunState } from "./use-run.ts";

/** What came of a run: answer, times, what is wrong, and what it printed, while it prints it. */
export function RunResult({ state }: { state: RunState }) {
  const text = functionMessages.use();
  if (state.phase === "idle") {
    return (
      <Text size="sm" c="dimmed">
        {text.notRunYet}
      </Text>
    );
  }
  if (state.phase === "failed") return <FaultNotice error={state.error} />;
  return (
    <Stack gap="sm" aria-live="polite">
      {state.phase === "running" ? (
        <Group gap="xs">
          <Loader size="xs" />
          <Text size="sm">{text.running}</Text>
        </Group>
      ) : (
        <Finished result={state.result} />
      )}
      <LogLines lines={state.lines} />
    </Stack>
  );
}

function Finished({ result }: { result: Result }) {
  const text = functionMessages.use();
  const format = useFormat();
  const { error } = result;
  return (
    <>
      <Group justify="space-between" gap="xs">
        <StatusBadge status={result.status} />
        <Link href={paths.execution(result.executionId)}>{text.toExecution}</Link>
      </Group>
      <dl className={classes.times}>
        <div>
          <dt>{text.queued}</dt>
          <dd>{format.duration(result.waitMs)}</dd>
        </div>
        <div>
          <dt>{result.coldStart ? text.coldRun : text.warmRun}</dt>
          <dd>{format.duration(result.runMs)}</dd>
        </div>
        <div>
          <dt>{text.version}</dt>
          <dd>{result.version}</dd>
        </div>
      </dl>
      {error === undefined ? null : (
        <Alert color="red" variant="light" title={error.name ?? text.error}>
          <Text size="sm">{error.message}</Text>
          {error.tip === undefined ? null : (
            <Text size="sm" mt="xs">
              {text.tip(error.tip)}
            </Text>
          )}
          {error.stack === undefined ? null : (
            <details>
              <summary>{text.stack}</summary>
              <Code block>{error.stack}</Code>
            </details>
          )}
        </Alert>
      )}
      {error !== undefined ? null : (
        <div>
          <Title order={3} mb={4}>
            {text.answer}
          </Title>
          <pre className={classes.output} tabIndex={0} aria-label={text.answer}>
            {result.result === undefined ? text.noAnswer : showJson(result.result)}
          </pre>
        </div>
      )}
    </>
  );
}

/** Lines of a log; the whole of a long one is on the execution's page. */
export function LogLines({ lines }: { lines: readonly LogLine[] }) {
  const text = functionMessages.use();
  const format = useFormat();
  if (lines.length === 0) return null;
  return (
    <div>
      <Title order={3} mb={4}>
        {text.logs(lines.length)}
      </Title>
      <ol className={classes.logs} tabIndex={0} aria-label={text.logs(lines.length)}>
        {lines.map((line, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- lines are only ever added
          <li key={index} data-level={line.level}>
            <time dateTime={line.at}>{format.clock(line.at)}</time> <span>{line.text}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
