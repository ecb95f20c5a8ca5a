import { Button, Group, Stack, Switch, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { Section } from "../../components/section.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { settingsMessages } from "../../messages/function-settings.ts";
import { paths } from "../../router.ts";
import classes from "./function.module.css";

/** Switching a function off, and deleting it with its name typed. */
export function DangerZone({ stored }: { stored: FunctionWithAll }) {
  const text = settingsMessages.use();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [typed, setTyped] = useState("");

  async function setDisabled(disabled: boolean): Promise<void> {
    await call("changeFunction", { params: { id: stored.id }, body: { disabled } });
    await queries.invalidateQueries({ queryKey: keys.function(stored.name) });
    void queries.invalidateQueries({ queryKey: keys.functions });
  }
  async function switchTo(disabled: boolean): Promise<void> {
    try {
      await setDisabled(disabled);
      toastDone(disabled ? text.nowDisabled : text.nowEnabled, () => setDisabled(!disabled));
    } catch (error) {
      toastFault(error);
    }
  }
  async function remove(): Promise<void> {
    try {
      await call("deleteFunction", { params: { id: stored.id } });
      toastDone(text.removed(stored.name));
      navigate(paths.functions);
      queries.removeQueries({ queryKey: keys.function(stored.name) });
      await queries.invalidateQueries({ queryKey: keys.functions });
    } catch (error) {
      toastFault(error);
    }
  }
  return (
    <Section title={text.danger} card={false}>
      <div className={`card ${classes.danger}`}>
        <Stack className={classes.pad}>
          <Switch
            label={text.enabled}
            checked={!stored.disabled}
            onChange={({ currentTarget }) => void switchTo(!currentTarget.checked)}
          />
          <Group align="flex-end">
            <TextInput
              label={text.confirmName}
              description={text.removeHint(stored.name)}
              value={typed}
              onChange={({ currentTarget }) => setTyped(currentTarget.value)}
              autoComplete="off"
            />
            <Button color="red" disabled={typed !== stored.name} onClick={() => void remove()}>
              {text.remove}
            </Button>
          </Group>
        </Stack>
      </div>
    </Section>
  );
}
