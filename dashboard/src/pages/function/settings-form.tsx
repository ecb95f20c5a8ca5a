import { Button, Group, Stack } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { settingsMessages } from "../../messages/function-settings.ts";
import { paths } from "../../router.ts";
import { GeneralFields, JobFields, KeepingFields, LimitFields, NetworkFields } from "./settings-fields.tsx";
import { changeOf, type Form, formOf } from "./settings-values.ts";

/** What `PATCH` changes, saved all together. */
export function SettingsForm({ stored }: { stored: FunctionWithAll }) {
  const text = settingsMessages.use();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [form, setForm] = useState(() => formOf(stored));
  const [isSaving, setIsSaving] = useState(false);
  const change = (part: Partial<Form>): void => setForm((before) => ({ ...before, ...part }));

  async function put(wanted: Form): Promise<void> {
    const changed = await call("changeFunction", { params: { id: stored.id }, body: changeOf(wanted) });
    void queries.invalidateQueries({ queryKey: keys.functions });
    if (changed.name === stored.name) await queries.invalidateQueries({ queryKey: keys.function(stored.name) });
    else navigate(paths.function(changed.name, "settings"), { replace: true });
  }
  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    setIsSaving(true);
    try {
      await put(form);
      toastDone(text.saved, () => put(formOf(stored)));
    } catch (error) {
      toastFault(error);
    } finally {
      setIsSaving(false);
    }
  }
  const fields = { form, change };
  return (
    <form onSubmit={(event) => void save(event)}>
      <Stack gap="xl">
        <GeneralFields {...fields} />
        <LimitFields {...fields} />
        <NetworkFields {...fields} />
        <JobFields {...fields} functionName={stored.name} />
        <KeepingFields {...fields} />
        <Group>
          <Button type="submit" loading={isSaving}>
            {text.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
