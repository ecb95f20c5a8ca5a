import { Button, Group, NativeSelect, Slider, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/queries.ts";
import type { FunctionWithAll, Version } from "../../api/schema.ts";
import { Section } from "../../components/section.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { versionMessages } from "../../messages/function-versions.ts";
import classes from "./function.module.css";

export interface TrafficSplitProps {
  readonly stored: FunctionWithAll;
  readonly versions: readonly Version[];
  readonly onChanged: () => Promise<void>;
}

/** The alias `live`: what calls without a version get. */
export function TrafficSplit({ stored, versions, onChanged }: TrafficSplitProps) {
  const text = versionMessages.use();
  const mayDeploy = useMay("deploy");
  const { activeVersion } = stored;
  const targets = stored.aliases.find(({ name }) => name === "live")?.targets ?? [];
  const isSplit = targets.length === 2;
  const guest = targets.find(({ version }) => version !== activeVersion);
  const others = versions.map(({ version }) => version).filter((version) => version !== activeVersion);
  const [other, setOther] = useState(isSplit ? (guest?.version ?? others[0]) : others[0]);
  const [percent, setPercent] = useState(isSplit ? (guest?.weight ?? 10) : 10);
  if (activeVersion === undefined || other === undefined || !mayDeploy) return null;

  async function put(body: { version: number } | { targets: typeof targets }, said: string): Promise<void> {
    try {
      await call("putAlias", { params: { id: stored.id, name: "live" }, body });
      await onChanged();
      toastDone(said);
    } catch (error) {
      toastFault(error);
    }
  }
  const split = [
    { version: activeVersion, weight: 100 - percent },
    { version: other, weight: percent },
  ];
  return (
    <Section title={text.traffic} description={text.trafficHint}>
      <Stack className={classes.pad}>
        <NativeSelect
          label={text.other}
          data={others.map(String)}
          value={String(other)}
          onChange={({ currentTarget }) => setOther(Number(currentTarget.value))}
          maw="20rem"
        />
        <div>
          <Text size="sm" fw={500} mb={4}>
            {text.share}
          </Text>
          <Slider
            value={percent}
            onChange={setPercent}
            min={1}
            max={99}
            label={(value) => `${value} %`}
            thumbLabel={text.share}
          />
          <Group justify="space-between" mt="xs">
            <Text size="sm">{text.toLive(100 - percent, activeVersion)}</Text>
            <Text size="sm">{text.toLive(percent, other)}</Text>
          </Group>
        </div>
        <Group>
          <Button onClick={() => void put({ targets: split }, text.splitDone(percent, other))}>{text.split}</Button>
          {isSplit ? (
            <Button variant="default" onClick={() => void put({ version: activeVersion }, text.splitEnded)}>
              {text.endSplit}
            </Button>
          ) : null}
        </Group>
      </Stack>
    </Section>
  );
}
