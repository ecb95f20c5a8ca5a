import { Anchor, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { useId } from "react";
import { Link } from "wouter";
import { CodeBlock } from "../../components/executions/code-block.tsx";
import { FaultBox } from "../../components/executions/fault-box.tsx";
import { LogView } from "../../components/executions/log-view.tsx";
import { useFormat } from "../../i18n/format.ts";
import { playgroundMessages } from "../../messages/playground.ts";
import { paths } from "../../router.ts";
import type { Outcome, RunState } from "./use-run-now.ts";

/** What the code prints and returns, beside it. */
export function Output({ state: { isRunning, lines, outcome } }: { state: RunState }) {
  const text = playgroundMessages.use();
  const format = useFormat();
  const id = useId();
  const hasRun = isRunning || outcome !== undefined;
  return (
    <section aria-labelledby={id}>
      <Group justify="space-between" mb="xs" mih="1.75rem">
        <Title order={2} id={id}>
          {text.output}
        </Title>
        <Group gap="xs" role="status">
          {isRunning ? (
            <>
              <Loader size="xs" aria-hidden />
              <Text size="sm" c="dimmed">
                {text.running}
              </Text>
            </>
          ) : outcome !== undefined && "tookMs" in outcome ? (
            <Text size="sm" c="dimmed">
              {text.took(format.duration(outcome.tookMs))}
            </Text>
          ) : null}
        </Group>
      </Group>
      {hasRun ? (
        <Stack gap="md">
          {outcome === undefined ? null : <OutcomeView outcome={outcome} />}
          <LogView lines={lines} isOpen={isRunning} withLevels={false} maxHeight="20rem" />
          <Anchor component={Link} href={`${paths.executions}?trigger=run-now`} size="sm">
            {text.history}
          </Anchor>
        </Stack>
      ) : (
        <Text c="dimmed" size="sm">
          {text.idle}
        </Text>
      )}
    </section>
  );
}

function OutcomeView({ outcome }: { outcome: Outcome }) {
  const text = playgroundMessages.use();
  if (outcome.kind === "stopped") return <Text size="sm">{text.stopped}</Text>;
  if (outcome.kind === "result")
    return (
      <div>
        <Text size="sm" fw={600} mb={4}>
          {text.resultOf(outcome.type)}
        </Text>
        <CodeBlock text={outcome.text} label={text.result} />
      </div>
    );
  const [first = "", ...stack] = outcome.message.split("\n");
  return (
    <FaultBox title={text.error} isNew>
      <Text size="sm" fw={550}>
        {first}
      </Text>
      {stack.length === 0 ? null : <CodeBlock text={stack.join("\n")} label={text.error} />}
    </FaultBox>
  );
}
