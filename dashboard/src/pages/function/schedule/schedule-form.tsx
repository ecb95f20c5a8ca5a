import { Autocomplete, Button, Group, NativeSelect, SimpleGrid, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useState } from "react";
import { ApiError, messageOf } from "../../../api/client.ts";
import { jsonFault, parseExact } from "../../../api/exact-json.ts";
import type { Schedule } from "../../../api/schema.ts";
import { toastFault } from "../../../components/toast.tsx";
import { useLanguage } from "../../../i18n/language.ts";
import { scheduleMessages } from "../../../messages/schedule.ts";
import { cronWords } from "./cron-words.ts";
import { PRESETS } from "./presets.ts";
import classes from "./schedule.module.css";

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
const MAX_OFFERED_ZONES = 50;

export interface ScheduleFormProps {
  readonly schedule: Schedule;
  readonly onSave: (schedule: Schedule) => Promise<void>;
  readonly onChanged?: (isChanged: boolean) => void;
  readonly onCancel?: () => void;
}

interface Form extends Omit<Schedule, "input"> {
  /** JSON text; "" for none. */
  readonly input: string;
}

export function ScheduleForm({ schedule, onSave, onChanged, onCancel }: ScheduleFormProps) {
  const text = scheduleMessages.use();
  const language = useLanguage();
  const [form, setForm] = useState<Form>(() => formOf(schedule));
  const [refusal, setRefusal] = useState<{ field: "cron" | "timeZone"; message: string }>();
  const [isSaving, setIsSaving] = useState(false);
  const isChanged = JSON.stringify(form) !== JSON.stringify(formOf(schedule));
  useEffect(() => onChanged?.(isChanged), [onChanged, isChanged]);
  const change = (part: Partial<Form>): void => {
    setForm((before) => ({ ...before, ...part }));
    setRefusal(undefined);
  };
  const inputFault = form.input.trim() === "" ? undefined : jsonFault(form.input);
  const words = cronWords(form.cron, text, language);

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (inputFault !== undefined) return;
    setIsSaving(true);
    try {
      const { input, ...rest } = form;
      await onSave(input.trim() === "" ? rest : { ...rest, input: parseExact(input) });
    } catch (error) {
      const field = refusedField(error);
      if (field === undefined) toastFault(error);
      else setRefusal({ field, message: messageOf(error).replace(/^schedule\.\w+: /, "") });
    } finally {
      setIsSaving(false);
    }
  }
  const errorOf = (field: "cron" | "timeZone"): string | undefined =>
    refusal?.field === field ? refusal.message : undefined;
  return (
    <form onSubmit={(event) => void save(event)}>
      <Stack>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <NativeSelect
            label={text.when}
            data={[
              ...PRESETS.map(([value, name]) => ({ value, label: text[name] })),
              { value: "", label: text.custom },
            ]}
            value={PRESETS.some(([cron]) => cron === form.cron) ? form.cron : ""}
            onChange={({ currentTarget: { value } }) => {
              if (value !== "") change({ cron: value });
            }}
          />
          <Autocomplete
            label={text.zone}
            data={ZONES}
            limit={MAX_OFFERED_ZONES}
            value={form.timeZone}
            onChange={(timeZone) => change({ timeZone })}
            error={errorOf("timeZone")}
            placeholder={text.zoneHint}
            maxDropdownHeight={260}
            spellCheck={false}
            required
          />
          <TextInput
            label={text.cron}
            description={text.cronHint}
            value={form.cron}
            onChange={({ currentTarget }) => change({ cron: currentTarget.value })}
            error={errorOf("cron")}
            classNames={{ input: classes.mono }}
            spellCheck={false}
            autoComplete="off"
            required
          />
          <Text size="sm" fw={550} role="status" style={{ alignSelf: "end" }} mih="2.2rem">
            {isChanged || onCancel !== undefined ? (words ?? "") : ""}
          </Text>
          <NativeSelect
            label={text.overlap}
            data={(["forbid", "allow", "replace"] as const).map((value) => ({ value, label: text[value] }))}
            value={form.overlap}
            onChange={({ currentTarget }) => change({ overlap: currentTarget.value as Schedule["overlap"] })}
          />
          <NativeSelect
            label={text.missed}
            data={(["skip", "once", "all"] as const).map((value) => ({ value, label: text[value] }))}
            value={form.missed}
            onChange={({ currentTarget }) => change({ missed: currentTarget.value as Schedule["missed"] })}
          />
        </SimpleGrid>
        <Textarea
          label={text.input}
          description={text.inputHint}
          value={form.input}
          onChange={({ currentTarget }) => change({ input: currentTarget.value })}
          error={inputFault === undefined ? undefined : text.inputFault(inputFault)}
          classNames={{ input: classes.mono }}
          spellCheck={false}
          autosize
          minRows={2}
          maxRows={10}
        />
        <Group>
          <Button type="submit" loading={isSaving} disabled={onCancel === undefined && !isChanged}>
            {text.save}
          </Button>
          {onCancel === undefined ? null : (
            <Button variant="default" onClick={onCancel}>
              {text.cancel}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

function formOf({ input, ...rest }: Schedule): Form {
  return { ...rest, input: input === undefined ? "" : JSON.stringify(input, undefined, 2) };
}

/** The field that the server has refused. */
function refusedField(error: unknown): "cron" | "timeZone" | undefined {
  if (!(error instanceof ApiError) || error.status !== 400) return undefined;
  const [, field] = /^schedule\.(cron|timeZone): /.exec(error.message) ?? [];
  return field as "cron" | "timeZone" | undefined;
}
