import { ActionIcon, Button, Group, Stack, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { IconPlus, IconTrash } from "../../components/icons.ts";
import { Section } from "../../components/section.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { settingsMessages } from "../../messages/function-settings.ts";
import classes from "./function.module.css";

interface Pair {
  readonly id: string;
  readonly name: string;
  readonly value: string;
}

/** The variables that are no secrets, saved all together. */
export function Variables({ stored }: { stored: FunctionWithAll }) {
  const text = settingsMessages.use();
  const queries = useQueryClient();
  const [pairs, setPairs] = useState<readonly Pair[]>(() =>
    Object.entries(stored.env).map(([name, value]) => ({ id: name, name, value })),
  );
  const change = (id: string, part: Partial<Pair>): void =>
    setPairs((before) => before.map((pair) => (pair.id === id ? { ...pair, ...part } : pair)));

  async function put(env: Record<string, string>): Promise<void> {
    await call("putEnv", { params: { id: stored.id }, body: { env } });
    await queries.invalidateQueries({ queryKey: keys.function(stored.name) });
  }
  async function save(): Promise<void> {
    const named = pairs.filter(({ name }) => name.trim() !== "");
    try {
      await put(Object.fromEntries(named.map(({ name, value }) => [name.trim(), value])));
      toastDone(text.variablesSaved, () => put(stored.env));
    } catch (error) {
      toastFault(error);
    }
  }
  return (
    <Section title={text.variables} description={text.variablesHint}>
      <Stack className={classes.pad} gap="sm">
        <div className={classes.pairs}>
          {pairs.map(({ id, name, value }) => (
            <Fragment key={id}>
              <TextInput
                aria-label={text.variableName}
                value={name}
                onChange={({ currentTarget }) => change(id, { name: currentTarget.value })}
              />
              <TextInput
                aria-label={text.variableValue}
                value={value}
                onChange={({ currentTarget }) => change(id, { value: currentTarget.value })}
              />
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={text.removeVariable(name)}
                onClick={() => setPairs((before) => before.filter((pair) => pair.id !== id))}
              >
                <IconTrash size={16} />
              </ActionIcon>
            </Fragment>
          ))}
        </div>
        <Group>
          <Button
            variant="default"
            leftSection={<IconPlus size={16} />}
            onClick={() =>
              setPairs((before) => [...before, { id: `new-${before.length}-${Date.now()}`, name: "", value: "" }])
            }
          >
            {text.addVariable}
          </Button>
          <Button onClick={() => void save()}>{text.save}</Button>
        </Group>
      </Stack>
    </Section>
  );
}
