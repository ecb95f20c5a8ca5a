import {
  Alert,
  Button,
  FileInput,
  Group,
  NativeSelect,
  SegmentedControl,
  Stack,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import { jsonFault } from "../../api/exact-json.ts";
import { useSession } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { Section } from "../../components/section.tsx";
import { testMessages } from "../../messages/function-test.ts";
import { ExchangeResult } from "./exchange-result.tsx";
import classes from "./function.module.css";
import { Pairs } from "./pairs.tsx";
import { SavedRequests, useKeptRequest } from "./saved-requests.tsx";
import { addressOf, asCode, bodyOf, CODE_LANGUAGES, headersOf, METHODS, type TestRequest } from "./test-request.ts";
import { useExchange } from "./use-exchange.ts";

/** Calls the function over HTTP, as its callers do. */
export default function TestTab({ stored }: { stored: FunctionWithAll }) {
  const text = testMessages.use();
  const session = useSession();
  const [request, setRequest] = useKeptRequest(stored.id);
  const [file, setFile] = useState<File | null>(null);
  const [language, setLanguage] = useState<(typeof CODE_LANGUAGES)[number]>("curl");
  const { exchange, send, stop } = useExchange();
  const change = (part: Partial<TestRequest>): void => setRequest({ ...request, ...part });
  const fault = request.bodyKind === "json" && request.body !== "" ? jsonFault(request.body) : undefined;
  const hasKey = request.headers.some(([name]) => /^(?:authorization|x-api-key)$/i.test(name));
  const wantsKey = session.data !== undefined && session.data.via !== "open" && stored.access === "key" && !hasKey;
  const isWaiting = exchange.phase === "waiting" || exchange.phase === "streaming";
  const canHaveBody = request.method !== "GET" && request.method !== "HEAD";
  const code = asCode(language, request, stored.url);

  function start(): void {
    const body = bodyOf(request, file ?? undefined);
    const headers: [string, string][] = headersOf(request).map(([name, value]) => [name, value]);
    // The page's own origin: the function's address may have another name, and the page may only ask its own server.
    const here = new URL(stored.url, window.location.href).pathname;
    void send(addressOf(request, here), { method: request.method, headers, ...(body === undefined ? {} : { body }) });
  }
  return (
    <div className={classes.workplace}>
      <Stack gap="xl">
        <Section title={text.request}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              start();
            }}
          >
            <Stack className={classes.pad}>
              {wantsKey ? <Alert color="yellow">{text.keyNeeded}</Alert> : null}
              <Group align="flex-end" wrap="nowrap">
                <NativeSelect
                  label={text.method}
                  data={[...METHODS]}
                  value={request.method}
                  onChange={({ currentTarget }) => change({ method: currentTarget.value })}
                />
                <TextInput
                  flex={1}
                  miw={0}
                  label={text.path}
                  placeholder="/"
                  value={request.path}
                  onChange={({ currentTarget }) => change({ path: currentTarget.value })}
                />
              </Group>
              <Pairs label={text.query} pairs={request.query} onChange={(query) => change({ query })} />
              <Pairs label={text.headers} pairs={request.headers} onChange={(headers) => change({ headers })} />
              {canHaveBody ? (
                <>
                  <NativeSelect
                    label={text.bodyKind}
                    data={(["none", "raw", "json", "form", "file"] as const).map((value) => ({
                      value,
                      label: text[value],
                    }))}
                    value={request.bodyKind}
                    onChange={({ currentTarget }) =>
                      change({ bodyKind: currentTarget.value as TestRequest["bodyKind"] })
                    }
                  />
                  {request.bodyKind === "raw" || request.bodyKind === "json" ? (
                    <Textarea
                      label={text.bodyText}
                      value={request.body}
                      onChange={({ currentTarget }) => change({ body: currentTarget.value })}
                      error={fault === undefined ? undefined : text.notJson(fault)}
                      autosize
                      minRows={4}
                      maxRows={20}
                      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
                    />
                  ) : null}
                  {request.bodyKind === "form" ? (
                    <Pairs label={text.fields} pairs={request.fields} onChange={(fields) => change({ fields })} />
                  ) : null}
                  {request.bodyKind === "file" ? <FileInput label={text.file} value={file} onChange={setFile} /> : null}
                </>
              ) : null}
              <Group>
                <Button type="submit" loading={isWaiting}>
                  {text.send}
                </Button>
                {isWaiting ? (
                  <Button variant="default" onClick={stop}>
                    {text.stop}
                  </Button>
                ) : null}
              </Group>
            </Stack>
          </form>
        </Section>
        <SavedRequests functionId={stored.id} request={request} onUse={setRequest} />
      </Stack>
      <Stack gap="xl">
        <Section title={text.response}>
          <div className={classes.pad} aria-live="polite">
            <ExchangeResult exchange={exchange} />
          </div>
        </Section>
        <Section title={text.sameCall} actions={<CopyButton value={code} />}>
          <Stack className={classes.pad} gap="sm">
            <SegmentedControl
              aria-label={text.sameCall}
              size="xs"
              value={language}
              onChange={setLanguage}
              data={[...CODE_LANGUAGES]}
            />
            <pre className={classes.output} tabIndex={0} aria-label={text.sameCall}>
              {code}
            </pre>
          </Stack>
        </Section>
      </Stack>
    </div>
  );
}
