import { Anchor, Button, Code, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { keys, useFunctions, useMay, useSession } from "../../api/queries.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconPlay } from "../../components/icons.ts";
import { LanguageMark } from "../../components/language-mark.tsx";
import { Section } from "../../components/section.tsx";
import { useFormat } from "../../i18n/format.ts";
import { homeMessages } from "../../messages/home.ts";
import { templatesMessages } from "../../messages/templates.ts";
import { paths } from "../../router.ts";
import { type TemplateId, templateOf } from "../../templates/templates.ts";
import { createFromTemplate, freeName, tryFunction, type TrialResult } from "../../templates/try.ts";

const OFFERED = [
  { id: "hello", language: "javascript" },
  { id: "counter", language: "python" },
  { id: "json-api", language: "typescript" },
  { id: "router", language: "lua" },
] as const satisfies readonly { id: TemplateId; language: string }[];

/** For a server without functions: a first one, made and called with one click. It stays until the page is left. */
export default function FirstSteps() {
  const text = homeMessages.use();
  const mayDeploy = useMay("deploy");
  if (!mayDeploy) return null;
  return (
    <Section
      title={text.start}
      description={text.startHint}
      card={false}
      actions={
        <Anchor component={Link} href={paths.newFunction()} size="sm">
          {text.others}
        </Anchor>
      }
    >
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="md">
        {OFFERED.map((offer) => (
          <Offer key={offer.id} {...offer} />
        ))}
      </SimpleGrid>
    </Section>
  );
}

function Offer({ id, language }: { id: TemplateId; language: string }) {
  const text = homeMessages.use();
  const about = templatesMessages.use();
  const format = useFormat();
  const { data: functions = [] } = useFunctions();
  const { data: session } = useSession();
  const client = useQueryClient();
  const [made, setMade] = useState<{ name: string; result: TrialResult }>();
  const { mutate, isPending, error } = useMutation({
    async mutationFn() {
      const template = templateOf(id);
      if (template === undefined) throw new Error(`no template ${id}`);
      const name = freeName(id, new Set(functions.map((one) => one.name)));
      await createFromTemplate(template, language, name);
      return { name, result: await tryFunction(name, template.trial, session?.via) };
    },
    onSuccess: setMade,
    onSettled: () => client.invalidateQueries({ queryKey: keys.functions }),
  });
  return (
    <Stack className="card" p="md" gap="xs">
      <Group justify="space-between" wrap="nowrap">
        <Text fw={600} component="h3">
          {about[id]}
        </Text>
        <LanguageMark language={language} />
      </Group>
      <Text size="sm" c="dimmed" flex={1}>
        {about[`${id}-about`]}
      </Text>
      {error === null ? null : <FaultNotice error={error} />}
      {made === undefined ? (
        <Button variant="light" leftSection={<IconPlay size={14} />} loading={isPending} onClick={() => mutate()}>
          {text.tryIt}
        </Button>
      ) : (
        <Stack gap={6} role="status">
          <Code block>{made.result.text}</Code>
          <Group justify="space-between">
            <Text size="xs" c="dimmed">
              {text.answered(format.duration(made.result.tookMs))}
            </Text>
            <Anchor component={Link} href={paths.function(made.name)} size="sm">
              {text.open}
            </Anchor>
          </Group>
        </Stack>
      )}
    </Stack>
  );
}
