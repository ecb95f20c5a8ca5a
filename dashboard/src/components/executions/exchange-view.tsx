// What came in and what went out. All of it is text of somebody else's: it is shown, and never becomes a part of the page.
import { Badge, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useFormat } from "../../i18n/format.ts";
import { executionMessages } from "../../messages/executions.ts";
import { CodeBlock } from "./code-block.tsx";
import { pretty, prettyIfJson } from "./digits.ts";
import { contentTypeOf, type KeptBody, requestOf, responseOf } from "./exchange.ts";
import classes from "./exchange-view.module.css";

/** The event of an execution: a request, or any JSON. */
export function EventView({ event }: { event: unknown }) {
  const text = executionMessages.use();
  const request = requestOf(event);
  if (request === undefined) return <CodeBlock text={pretty(event)} label={text.event} />;
  const target = request.path + (request.query === "" ? "" : `?${request.query}`);
  return (
    <Stack gap="md">
      <Group gap="sm" wrap="nowrap" align="baseline">
        <Badge variant="light" color="gray" className={classes.fixed}>
          {request.method}
        </Badge>
        <span className={classes.mono}>{target}</span>
      </Group>
      <Headers headers={request.headers} />
      <Body kept={request} />
    </Stack>
  );
}

/** What an execution answered: a response, or any JSON. */
export function ResponseView({ response }: { response: unknown }) {
  const text = executionMessages.use();
  const kept = responseOf(response);
  const [isSource, setIsSource] = useState(false);
  if (kept === undefined) return <CodeBlock text={pretty(response)} label={text.response} />;
  const isHtml = contentTypeOf(kept.headers).startsWith("text/html") && (kept.body ?? "") !== "";
  return (
    <Stack gap="md">
      <Group gap="sm" justify="space-between">
        <Badge variant="light" color={kept.statusCode < 400 ? "glass" : "red"}>
          {kept.statusCode}
        </Badge>
        {isHtml ? (
          <SegmentedControl
            size="xs"
            aria-label={text.body}
            value={isSource ? "source" : "preview"}
            onChange={(value) => setIsSource(value === "source")}
            data={[
              { value: "preview", label: text.preview },
              { value: "source", label: text.source },
            ]}
          />
        ) : null}
      </Group>
      {isHtml && !isSource ? <HtmlPreview html={kept.body ?? ""} /> : <Body kept={kept} />}
      <Headers headers={kept.headers} />
    </Stack>
  );
}

/** A page that somebody's code wrote. An empty `sandbox` leaves it no script, no form, no origin and no way out. */
export function HtmlPreview({ html }: { html: string }) {
  const text = executionMessages.use();
  return (
    <div>
      <iframe className={classes.preview} sandbox="" srcDoc={html} title={text.preview} />
      <Text size="xs" c="dimmed" mt={4}>
        {text.previewHint}
      </Text>
    </div>
  );
}

export function Headers({ headers }: { headers: Readonly<Record<string, string>> }) {
  const text = executionMessages.use();
  const all = Object.entries(headers);
  if (all.length === 0) return null;
  return (
    <details className={classes.details}>
      <summary>
        {text.headers} ({all.length})
      </summary>
      <dl className={classes.headers}>
        {all.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Body({ kept: { body = "", isBase64Encoded = false, bodyTruncated = false } }: { kept: KeptBody }) {
  const text = executionMessages.use();
  const format = useFormat();
  if (body === "")
    return (
      <Text size="sm" c="dimmed">
        {text.noBody}
      </Text>
    );
  return (
    <div>
      {isBase64Encoded ? (
        <Text size="sm" c="dimmed">
          {text.binaryBody(format.bytes(Math.floor((body.length * 3) / 4)))}
        </Text>
      ) : (
        <CodeBlock text={prettyIfJson(body)} label={text.body} />
      )}
      {bodyTruncated ? (
        <Text size="sm" c="dimmed" mt={4}>
          {text.truncatedBody}
        </Text>
      ) : null}
    </div>
  );
}
