import { Anchor, SimpleGrid, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { System } from "../../api/system.ts";
import { IconAlert, IconCheck, IconClose } from "../../components/icons.ts";
import { languageName } from "../../components/language-mark.tsx";
import { Section } from "../../components/section.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useFormat } from "../../i18n/format.ts";
import { systemMessages } from "../../messages/system.ts";
import { Facts } from "./facts.tsx";
import { findingsOf } from "./findings.ts";
import { Jobs, Nodes, Store } from "./parts.tsx";
import classes from "./overview.module.css";

export function Overview({ system }: { system: System }) {
  return (
    <Stack gap="xl">
      <Findings system={system} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl" verticalSpacing="xl">
        <Stack gap="xl">
          <Languages system={system} />
          <Protection system={system} />
        </Stack>
        <Stack gap="xl">
          <Server system={system} />
          <Limits system={system} />
          <Jobs system={system} />
          <Store system={system} />
          <Nodes system={system} />
        </Stack>
      </SimpleGrid>
    </Stack>
  );
}

function Languages({ system }: { system: System }) {
  const text = systemMessages.use();
  return (
    <Section title={text.runtimes}>
      <ul className={classes.list}>
        {system.runtimes.map(({ base, languages, found, title, reason }) => (
          <Row key={base} isGood={found} state={found ? text.available : text.missing}>
            <Text fw={600}>{languages.map((language) => languageName(language)).join(", ")}</Text>
            <Text size="sm" c="dimmed">
              {found ? title : reason}
            </Text>
          </Row>
        ))}
        {system.builders?.map(({ language, found, title, reason }) => (
          <Row key={language} isGood={found} state={found ? text.available : text.missing}>
            <Text fw={600}>{text.built(languageName(language))}</Text>
            <Text size="sm" c="dimmed">
              {found ? title : reason}
            </Text>
          </Row>
        ))}
      </ul>
    </Section>
  );
}

const FEATURE_NAMES = [
  "namespaces",
  "network",
  "files",
  "capabilities",
  "user",
  "memory",
  "cpu",
  "processes",
  "seccomp",
] as const;
type Feature = (typeof FEATURE_NAMES)[number];
const FEATURES: ReadonlySet<string> = new Set(FEATURE_NAMES);

function Protection({ system }: { system: System }) {
  const text = systemMessages.use();
  return (
    <Section title={text.protection} description={text.protectionHint}>
      <ul className={classes.list}>
        {system.sandbox.features.map(({ name, inForce, detail }) => (
          <Row key={name} isGood={inForce} state={inForce ? text.inForce : text.off}>
            <Text fw={600}>{FEATURES.has(name) ? text[`feature-${name as Feature}`] : name}</Text>
            <Text size="sm" c="dimmed">
              {detail}
            </Text>
          </Row>
        ))}
      </ul>
    </Section>
  );
}

function Findings({ system }: { system: System }) {
  const text = systemMessages.use();
  const findings = findingsOf(system, text);
  return (
    <Section title={text.findings} description={text.findingsHint}>
      <ul className={classes.list}>
        {findings.length === 0 ? (
          <Row isGood state={text.inForce}>
            <Text>{text.allWell}</Text>
          </Row>
        ) : (
          findings.map(({ severity, what, why }) => (
            <li key={what} className={classes.row}>
              <IconAlert size={18} className={severity === "bad" ? classes.bad : classes.warn} />
              <div>
                <Text fw={600}>{what}</Text>
                <Text size="sm" c="dimmed">
                  {why}
                </Text>
              </div>
            </li>
          ))
        )}
      </ul>
    </Section>
  );
}

function Limits({ system }: { system: System }) {
  const text = systemMessages.use();
  const format = useFormat();
  const all = { ...system.sandbox.limits, ...system.limits };
  const known: readonly (readonly [name: string, value: string])[] = (
    [
      ["timeoutMs", format.duration],
      ["memoryBytes", format.bytes],
      ["cpus", (value: number) => text.cores(format.number(value, 2))],
      ["pids", format.number],
      ["tmpBytes", format.bytes],
      ["outputBytes", format.bytes],
      ["codeBytes", format.bytes],
      ["bodyBytes", format.bytes],
      ["httpBodyBytes", format.bytes],
    ] as const
  ).flatMap(([name, write]) => {
    const value = all[name];
    return typeof value === "number" ? [[text[name], write(value)] as const] : [];
  });
  return (
    <Section title={text.limits} description={text.limitsHint}>
      <Facts
        facts={[
          ...known,
          [text.sandboxesAtOnce, format.number(system.pool.maxWorkers)],
          [text.mayWait, format.number(system.pool.maxQueue)],
        ]}
      />
    </Section>
  );
}

function Server({ system }: { system: System }) {
  const text = systemMessages.use();
  const format = useFormat();
  return (
    <Section title={text.about}>
      <Facts
        facts={[
          [text.version, `Cloche ${system.version}`],
          [text.started, <TimeAgo key="started" time={system.startedAt} />],
          [text.memory, format.bytes(system.memoryBytes)],
          [text.lost, format.number(system.history.lostExecutions)],
          [
            text.documents,
            <span key="documents" className={classes.links}>
              <Anchor href="/docs" target="_blank">
                /docs
              </Anchor>
              <Anchor href="/api/openapi.json" target="_blank" title={text.openapi}>
                OpenAPI
              </Anchor>
              <Anchor href="/llms.txt" target="_blank" title={text.llms}>
                llms.txt
              </Anchor>
            </span>,
          ],
        ]}
      />
    </Section>
  );
}

function Row({ isGood, state, children }: { isGood: boolean; state: string; children: ReactNode }) {
  return (
    <li className={classes.row}>
      {isGood ? (
        <IconCheck size={18} className={classes.good} aria-label={state} role="img" />
      ) : (
        <IconClose size={18} className={classes.bad} aria-label={state} role="img" />
      )}
      <div>{children}</div>
    </li>
  );
}
