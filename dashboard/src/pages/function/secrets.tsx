import { Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { IconKey } from "../../components/icons.ts";
import { Section } from "../../components/section.tsx";
import { toastDeferred, toastDone, toastFault } from "../../components/toast.tsx";
import { settingsMessages } from "../../messages/function-settings.ts";
import classes from "./function.module.css";

/** Secrets can be set, replaced and deleted. The server never tells a value, so there is none to show. */
export function Secrets({ stored }: { stored: FunctionWithAll }) {
  const text = settingsMessages.use();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: keys.function(stored.name) });

  async function set(event: FormEvent): Promise<void> {
    event.preventDefault();
    try {
      await call("putSecret", { params: { id: stored.id, key: name.trim() }, body: { value } });
      toastDone(text.secretSet(name.trim()));
      setName("");
      setValue("");
      await refresh();
    } catch (error) {
      toastFault(error);
    }
  }
  function remove(key: string): void {
    const show = (): void => setHidden((before) => before.filter((other) => other !== key));
    const act = async (): Promise<void> => {
      await call("deleteSecret", { params: { id: stored.id, key } }, { keepalive: true });
      await refresh();
      show();
    };
    setHidden((before) => [...before, key]);
    toastDeferred(text.secretRemoved(key), act, show);
  }
  const shown = stored.secrets.filter((key) => !hidden.includes(key));
  return (
    <Section title={text.secrets} description={text.secretsHint}>
      <Stack className={classes.pad} gap="sm">
        {shown.length === 0 ? <Text size="sm">{text.noSecrets}</Text> : null}
        {shown.map((key) => (
          <Group key={key} justify="space-between" wrap="nowrap">
            <Group gap="xs" wrap="nowrap">
              <IconKey size={16} />
              <Text ff="monospace" size="sm">
                {key}
              </Text>
            </Group>
            <Button
              size="compact-sm"
              variant="subtle"
              color="red"
              onClick={() => remove(key)}
              aria-label={text.removeSecret(key)}
            >
              {text.removeShort}
            </Button>
          </Group>
        ))}
        <form onSubmit={(event) => void set(event)}>
          <Group align="flex-end">
            <TextInput
              label={text.secretName}
              value={name}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
              required
              autoComplete="off"
            />
            <PasswordInput
              label={text.secretValue}
              value={value}
              onChange={({ currentTarget }) => setValue(currentTarget.value)}
              required
              autoComplete="new-password"
              miw="14rem"
            />
            <Button type="submit">{text.setSecret}</Button>
          </Group>
        </form>
      </Stack>
    </Section>
  );
}
