import {
  Button,
  Group,
  NativeSelect,
  NumberInput,
  SimpleGrid,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client.ts";
import { keys, useMay } from "../../api/queries.ts";
import type { FunctionWithAll, Operations } from "../../api/schema.ts";
import { Section } from "../../components/section.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { settingsMessages } from "../../messages/function-settings.ts";
import { paths } from "../../router.ts";
import { DangerZone } from "./danger-zone.tsx";
import classes from "./function.module.css";
import { Secrets } from "./secrets.tsx";
import { Variables } from "./variables.tsx";

type Change = Operations["changeFunction"]["body"];

/** Everything that can be set, one form for what belongs together. */
export default function SettingsTab({ stored }: { stored: FunctionWithAll }) {
  const mayDeploy = useMay("deploy");
  return (
    <Stack gap="xl">
      <fieldset disabled={!mayDeploy} style={{ all: "unset", display: "contents" }}>
        <SettingsForm key={stored.updatedAt} stored={stored} />
        <Variables key={JSON.stringify(stored.env)} stored={stored} />
        <Secrets stored={stored} />
        <DangerZone stored={stored} />
      </fieldset>
    </Stack>
  );
}

function SettingsForm({ stored }: { stored: FunctionWithAll }) {
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
  const whole = { allowDecimal: false, allowNegative: false, hideControls: true } as const;
  return (
    <form onSubmit={(event) => void save(event)}>
      <Stack gap="xl">
        <Section title={text.general}>
          <SimpleGrid cols={{ base: 1, sm: 2 }} className={classes.pad}>
            <TextInput
              label={text.name}
              description={text.nameHint}
              value={form.name}
              onChange={({ currentTarget }) => change({ name: currentTarget.value })}
              required
            />
            <TextInput
              label={text.description}
              description={" "}
              value={form.description}
              onChange={({ currentTarget }) => change({ description: currentTarget.value })}
            />
          </SimpleGrid>
        </Section>
        <Section title={text.limits}>
          <SimpleGrid cols={{ base: 1, sm: 2 }} className={classes.pad}>
            <NumberInput
              {...whole}
              label={text.timeout}
              placeholder={text.serverDefault}
              value={form.timeoutMs}
              onChange={(timeoutMs) => change({ timeoutMs })}
              min={1}
            />
            <NumberInput
              {...whole}
              label={text.callsPerMinute}
              placeholder={text.unlimited}
              value={form.callsPerMinute}
              onChange={(callsPerMinute) => change({ callsPerMinute })}
              min={1}
            />
            <NumberInput
              {...whole}
              label={text.concurrency}
              value={form.concurrency}
              onChange={(concurrency) => change({ concurrency })}
              min={1}
              max={64}
              required
            />
            <NativeSelect
              label={text.isolation}
              data={[
                { value: "warm", label: text.warm },
                { value: "fresh", label: text.fresh },
              ]}
              value={form.isolation}
              onChange={({ currentTarget }) => change({ isolation: currentTarget.value as Form["isolation"] })}
            />
          </SimpleGrid>
        </Section>
        <Section title={text.network}>
          <SimpleGrid cols={{ base: 1, sm: 2 }} className={classes.pad}>
            <NativeSelect
              label={text.egress}
              data={[
                { value: "", label: text.egressDefault },
                { value: "none", label: text.egressNone },
                { value: "public", label: text.egressPublic },
                { value: "all", label: text.egressAll },
                { value: "hosts", label: text.egressHosts },
              ]}
              value={form.egress}
              onChange={({ currentTarget }) => change({ egress: currentTarget.value as Form["egress"] })}
            />
            <NativeSelect
              label={text.access}
              data={[
                { value: "key", label: text.accessKey },
                { value: "public", label: text.accessPublic },
              ]}
              value={form.access}
              onChange={({ currentTarget }) => change({ access: currentTarget.value as Form["access"] })}
            />
            {form.egress === "hosts" ? (
              <Textarea
                label={text.hosts}
                placeholder="api.example.com"
                value={form.hosts}
                onChange={({ currentTarget }) => change({ hosts: currentTarget.value })}
                autosize
                minRows={2}
                required
              />
            ) : null}
            <Textarea
              label={text.cors}
              placeholder="https://example.com"
              value={form.corsOrigins}
              onChange={({ currentTarget }) => change({ corsOrigins: currentTarget.value })}
              autosize
              minRows={2}
            />
          </SimpleGrid>
        </Section>
        <Section title={text.keeping}>
          <SimpleGrid cols={{ base: 1, sm: 2 }} className={classes.pad}>
            <NumberInput
              {...whole}
              label={text.retentionDays}
              placeholder={text.serverDefault}
              value={form.retentionDays}
              onChange={(retentionDays) => change({ retentionDays })}
              min={1}
            />
            <NumberInput
              {...whole}
              label={text.retentionCount}
              placeholder={text.serverDefault}
              value={form.retentionCount}
              onChange={(retentionCount) => change({ retentionCount })}
              min={1}
            />
            <Switch
              label={text.saveResponses}
              checked={form.saveResponses}
              onChange={({ currentTarget }) => change({ saveResponses: currentTarget.checked })}
            />
          </SimpleGrid>
        </Section>
        <Group>
          <Button type="submit" loading={isSaving}>
            {text.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

type Whole = number | string; // "" where nothing is typed

interface Form {
  readonly name: string;
  readonly description: string;
  readonly timeoutMs: Whole;
  readonly callsPerMinute: Whole;
  readonly concurrency: Whole;
  readonly isolation: FunctionWithAll["isolation"];
  readonly egress: "" | "none" | "public" | "all" | "hosts";
  /** One a line, as are the origins. */
  readonly hosts: string;
  readonly access: FunctionWithAll["access"];
  readonly corsOrigins: string;
  readonly saveResponses: boolean;
  readonly retentionDays: Whole;
  readonly retentionCount: Whole;
}

function formOf(stored: FunctionWithAll): Form {
  const { name, description, concurrency, isolation, access, saveResponses, egress } = stored;
  return {
    ...{ name, description, concurrency, isolation, access, saveResponses },
    timeoutMs: stored.timeoutMs ?? "",
    callsPerMinute: stored.callsPerMinute ?? "",
    egress: typeof egress === "object" ? "hosts" : (egress ?? ""),
    hosts: typeof egress === "object" ? egress.join("\n") : "",
    corsOrigins: stored.corsOrigins.join("\n"),
    retentionDays: stored.retentionDays ?? "",
    retentionCount: stored.retentionCount ?? "",
  };
}

function changeOf(form: Form): Change {
  const { name, description, isolation, access, saveResponses, egress } = form;
  return {
    ...{ name, description, isolation, access, saveResponses },
    concurrency: Number(form.concurrency),
    timeoutMs: numberOrNull(form.timeoutMs),
    callsPerMinute: numberOrNull(form.callsPerMinute),
    egress: egress === "hosts" ? linesOf(form.hosts) : egress === "" ? null : egress,
    corsOrigins: linesOf(form.corsOrigins),
    retentionDays: numberOrNull(form.retentionDays),
    retentionCount: numberOrNull(form.retentionCount),
  };
}

function numberOrNull(value: Whole): number | null {
  return value === "" ? null : Number(value);
}

function linesOf(text: string): string[] {
  return text.split(/\s+/).filter((line) => line !== "");
}
