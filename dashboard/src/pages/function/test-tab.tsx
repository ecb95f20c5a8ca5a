import {
  Alert,
  Anchor,
  Button,
  FileInput,
  Group,
  NativeSelect,
  SegmentedControl,
  Stack,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { jsonFault } from "../../api/exact-json.ts";
import { useSession } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { requestOf } from "../../components/executions/exchange.ts";
import { Section } from "../../components/section.tsx";
import { testMessages } from "../../messages/function-test.ts";
import { paths } from "../../router.ts";
import { ExchangeResult } from "./exchange-result.tsx";
import classes from "./function.module.css";
import { Pairs } from "./pairs.tsx";
import { pastRequest, usePastEvent } from "./past-event.ts";
import { reachableUrl } from "../../components/reachable-url.ts";
import { SavedRequests, useKeptRequest } from "./saved-requests.tsx";
import {
  addressOf,
  asCode,
  bodyOf,
  CODE_LANGUAGES,
  described,
  hasBody,
  headersOf,
  METHODS,
  type TestRequest,
} from "./test-request.ts";
import { useExchange } from "./use-exchange.ts";

/** Calls the function over HTTP, as its callers do. */
export default function TestTab({ stored }: { stored: FunctionWithAll }) {
  const text = testMessages.use();
  const session = useSession();
  const [request, setRequest] = useKeptRequest(stored.id);
  const [file, setFile] = useState<File | null>(null);
  const [language, setLanguage] = useState<(typeof CODE_LANGUAGES)[number]>("curl");
  const [past, setPast] = useState<{ readonly id: string; readonly isIncomplete: boolean }>();
  const { exchange, send, sendDescribed, stop } = useExchange();
  usePastEvent((event, id) => {
    const kept = requestOf(event);
    if (kept === undefined) return;
    const { request: filled, isIncomplete } = pastRequest(kept);
    setRequest(filled);
    setPast({ id, isIncomplete });
  });
  const change = (part: Partial<TestRequest>): void => setRequest({ ...request, ...part });
  const fault = request.bodyKind === "json" && request.body !== "" ? jsonFault(request.body) : undefined;
  const hasKey = request.headers.some(([name]) => /^(?:authorization|x-api-key)$/i.test(name));
  // The session's cookie goes nowhere but below /api.
  const goesThroughApi =
    session.data !== undefined && session.data.via !== "open" && stored.access === "key" && !hasKey;
  const isWaiting = exchange.phase === "waiting" || exchange.phase === "streaming";
  const canHaveBody = hasBody(request);
  const withKey = { ...request, headers: [["Authorization", "Bearer KEY"] as const, ...request.headers] };
  const code = asCode(language, goesThroughApi ? withKey : request, reachableUrl(stored.url));

  function start(): void {
    if (goesThroughApi) {
      void sendDescribed(stored.id, described(request, file ?? undefined), false);
      return;
    }
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
              {past === undefined ? null : (
                <Alert variant="light" withCloseButton onClose={() => setPast(undefined)} closeButtonLabel={text.close}>
                  <Text size="sm">{past.isIncomplete ? `${text.past} ${text.pastIncomplete}` : text.past}</Text>
                  <Anchor component={Link} href={paths.execution(past.id)} size="sm">
                    {text.pastExecution}
                  </Anchor>
                </Alert>
              )}
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
                <Button
                  variant="default"
                  disabled={isWaiting}
                  title={text.sendAsJobHint}
                  onClick={() => void sendDescribed(stored.id, described(request, file ?? undefined), true)}
                >
                  {text.sendAsJob}
                </Button>
                {isWaiting ? (
                  <Button variant="default" onClick={stop}>
                    {text.stop}
                  </Button>
                ) : null}
              </Group>
              {goesThroughApi ? (
                <Text size="sm" c="dimmed">
                  {text.throughApi}
                </Text>
              ) : null}
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
