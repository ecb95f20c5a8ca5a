import { Code, Group, Loader, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { parseExact, showJson } from "../../api/exact-json.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { useFormat } from "../../i18n/format.ts";
import { testMessages } from "../../messages/function-test.ts";
import { paths } from "../../router.ts";
import classes from "./function.module.css";
import type { Exchange } from "./use-exchange.ts";

/** The answer to a request, as far as it has come. */
export function ExchangeResult({ exchange }: { exchange: Exchange }) {
  const text = testMessages.use();
  const format = useFormat();
  const [view, setView] = useState("body");
  const { phase, status, statusText, headers = [], body = "", contentType = "", executionId, tookMs = 0 } = exchange;
  if (phase === "idle") return <Text c="dimmed">{text.noResponse}</Text>;
  if (phase === "accepted")
    return (
      <Stack gap="sm">
        <Text>{text.accepted}</Text>
        {exchange.jobId === undefined ? null : <Link href={paths.job(exchange.jobId)}>{text.toJob}</Link>}
      </Stack>
    );
  if (phase === "failed")
    return (
      <Stack gap="sm">
        <FaultNotice error={exchange.error} />
        {executionId === undefined ? null : <Link href={paths.execution(executionId)}>{text.toExecution}</Link>}
      </Stack>
    );
  if (status === undefined) return <Text>{text.waiting}</Text>;
  const isHtml = contentType.startsWith("text/html");
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Group gap="xs">
          <Text fw={600} c={status < 400 ? "var(--cloche-accent)" : "var(--cloche-bad)"}>
            {status} {statusText}
          </Text>
          <Text size="sm">{text.took(format.duration(tookMs))}</Text>
          {phase === "streaming" ? <Loader size="xs" aria-label={text.streaming} /> : null}
        </Group>
        {executionId === undefined ? null : <Link href={paths.execution(executionId)}>{text.toExecution}</Link>}
      </Group>
      <details>
        <summary>{text.responseHeaders(headers.length)}</summary>
        <Code block>{headers.map(([name, value]) => `${name}: ${value}`).join("\n")}</Code>
      </details>
      {isHtml ? (
        <SegmentedControl
          size="xs"
          value={view}
          onChange={setView}
          aria-label={text.response}
          data={[
            { value: "body", label: text.body },
            { value: "preview", label: text.preview },
          ]}
        />
      ) : null}
      {isHtml && view === "preview" ? (
        // No scripts, no origin, no forms: the page came from code that is not ours.
        <iframe className={classes.preview} sandbox="" srcDoc={body} title={text.previewTitle} />
      ) : (
        <pre className={classes.output} tabIndex={0} aria-label={text.responseBody}>
          {phase === "done" && contentType.includes("json") ? indented(body) : body}
        </pre>
      )}
    </Stack>
  );
}

function indented(body: string): string {
  try {
    return showJson(parseExact(body));
  } catch {
    return body; // a function may say what it likes of its answer
  }
}
