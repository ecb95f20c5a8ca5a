// The fields of the settings, one component for what has a heading of its own.
import { Anchor, NativeSelect, NumberInput, SimpleGrid, Switch, Textarea, TextInput } from "@mantine/core";
import { Link } from "wouter";
import { Section } from "../../components/section.tsx";
import { settingsMessages } from "../../messages/function-settings.ts";
import { paths } from "../../router.ts";
import classes from "./function.module.css";
import type { Form } from "./settings-values.ts";

export interface FieldsProps {
  readonly form: Form;
  readonly change: (part: Partial<Form>) => void;
}

const WHOLE = { allowDecimal: false, allowNegative: false, hideControls: true } as const;

export function GeneralFields({ form, change }: FieldsProps) {
  const text = settingsMessages.use();
  return (
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
  );
}

export function LimitFields({ form, change }: FieldsProps) {
  const text = settingsMessages.use();
  return (
    <Section title={text.limits}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} className={classes.pad}>
        <NumberInput
          {...WHOLE}
          label={text.timeout}
          placeholder={text.serverDefault}
          value={form.timeoutMs}
          onChange={(timeoutMs) => change({ timeoutMs })}
          min={1}
        />
        <NumberInput
          {...WHOLE}
          label={text.callsPerMinute}
          placeholder={text.unlimited}
          value={form.callsPerMinute}
          onChange={(callsPerMinute) => change({ callsPerMinute })}
          min={1}
        />
        <NumberInput
          {...WHOLE}
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
  );
}

export function NetworkFields({ form, change }: FieldsProps) {
  const text = settingsMessages.use();
  return (
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
  );
}

export function JobFields({ form, change, functionName }: FieldsProps & { readonly functionName: string }) {
  const text = settingsMessages.use();
  return (
    <Section
      title={text.jobs}
      description={text.jobsHint}
      actions={
        <Anchor component={Link} href={`${paths.jobs}?function=${encodeURIComponent(functionName)}`} size="sm">
          {text.seeJobs}
        </Anchor>
      }
    >
      <SimpleGrid cols={{ base: 1, sm: 2 }} className={classes.pad}>
        <NumberInput
          {...WHOLE}
          label={text.attempts}
          value={form.attempts}
          onChange={(attempts) => change({ attempts })}
          min={1}
          max={100}
          required
        />
        <NumberInput
          {...WHOLE}
          label={text.jobConcurrency}
          placeholder={text.unlimited}
          value={form.jobConcurrency}
          onChange={(jobConcurrency) => change({ jobConcurrency })}
          min={1}
        />
        <NumberInput
          {...WHOLE}
          label={text.backoff}
          value={form.backoffMs}
          onChange={(backoffMs) => change({ backoffMs })}
          max={86_400_000}
          required
        />
        <NumberInput
          {...WHOLE}
          label={text.maxBackoff}
          value={form.maxBackoffMs}
          onChange={(maxBackoffMs) => change({ maxBackoffMs })}
          max={86_400_000}
          required
        />
      </SimpleGrid>
    </Section>
  );
}

export function KeepingFields({ form, change }: FieldsProps) {
  const text = settingsMessages.use();
  return (
    <Section title={text.keeping}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} className={classes.pad}>
        <NumberInput
          {...WHOLE}
          label={text.retentionDays}
          placeholder={text.serverDefault}
          value={form.retentionDays}
          onChange={(retentionDays) => change({ retentionDays })}
          min={1}
        />
        <NumberInput
          {...WHOLE}
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
  );
}
