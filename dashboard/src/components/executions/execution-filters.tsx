// The fields above a list of executions.
import { Button, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { useFunctions } from "../../api/queries.ts";
import { executionMessages } from "../../messages/executions.ts";
import { statusMessages } from "../../messages/status.ts";
import { IconSearch } from "../icons.ts";
import classes from "./executions.module.css";
import { type FilterState, SPANS, STATUSES, TRIGGERS } from "./filter.ts";

const TYPING_MS = 300;

export interface ExecutionFiltersProps {
  readonly state: FilterState;
  /** False where the function is given. */
  readonly withFunction: boolean;
  readonly isLive: boolean;
  readonly onLive: (isLive: boolean) => void;
}

export function ExecutionFilters({ state, withFunction, isLive, onLive }: ExecutionFiltersProps) {
  const text = executionMessages.use();
  const statusText = statusMessages.use();
  const { values, set, clear, isEmpty } = state;
  const spans = Object.keys(SPANS) as (keyof typeof SPANS)[];
  return (
    <search className={classes.filters} aria-label={text.filters}>
      <TypedInput
        className={classes.words}
        label={text.words}
        value={values.text}
        onSettled={(value) => set("text", value)}
        isSearch
      />
      {withFunction ? <FunctionInput value={values.function} onChange={(value) => set("function", value)} /> : null}
      <NativeSelect
        label={text.status}
        value={values.status}
        onChange={({ currentTarget }) => set("status", currentTarget.value)}
        data={[{ value: "", label: text.anyStatus }, ...STATUSES.map((value) => ({ value, label: statusText[value] }))]}
      />
      <NativeSelect
        label={text.trigger}
        value={values.trigger}
        onChange={({ currentTarget }) => set("trigger", currentTarget.value)}
        data={[{ value: "", label: text.anyTrigger }, ...TRIGGERS.map((value) => ({ value, label: text[value] }))]}
      />
      <NativeSelect
        label={text.since}
        value={values.since}
        onChange={({ currentTarget }) => set("since", currentTarget.value)}
        data={[{ value: "", label: text.anyTime }, ...spans.map((value) => ({ value, label: text[value] }))]}
      />
      {withFunction ? null : (
        <TypedInput
          label={text.version}
          placeholder={text.anyVersion}
          value={values.version}
          onSettled={(value) => set("version", value)}
          inputMode="numeric"
        />
      )}
      <div className={classes.filterEnd}>
        <Switch
          label={text.live}
          title={text.liveHint}
          checked={isLive}
          onChange={({ currentTarget }) => onLive(currentTarget.checked)}
        />
        {isEmpty ? null : (
          <Button variant="subtle" size="compact-sm" onClick={clear}>
            {text.clear}
          </Button>
        )}
      </div>
    </search>
  );
}

function FunctionInput({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const text = executionMessages.use();
  const { data = [] } = useFunctions();
  return (
    <>
      <TypedInput
        label={text.functionField}
        placeholder={text.anyFunction}
        value={value}
        onSettled={onChange}
        list="execution-functions"
      />
      <datalist id="execution-functions">
        {data.map(({ id, name }) => (
          <option key={id} value={name} />
        ))}
      </datalist>
    </>
  );
}

interface TypedInputProps {
  readonly className?: string | undefined;
  readonly label: string;
  readonly placeholder?: string;
  readonly value: string;
  readonly onSettled: (value: string) => void;
  readonly isSearch?: boolean;
  readonly list?: string;
  readonly inputMode?: "numeric";
}

/** A field that asks the server when the typing rests. */
function TypedInput({ value, onSettled, isSearch = false, ...field }: TypedInputProps) {
  const [typed, setTyped] = useState({ text: value, of: value });
  const shown = typed.of === value ? typed.text : value; // the address has changed otherwise: by `clear`, by going back
  useEffect(() => {
    if (shown === value) return undefined;
    const timer = window.setTimeout(() => onSettled(shown.trim()), TYPING_MS);
    return () => window.clearTimeout(timer);
  });
  return (
    <TextInput
      {...field}
      value={shown}
      onChange={({ currentTarget }) => setTyped({ text: currentTarget.value, of: value })}
      onKeyDown={({ key }) => {
        if (key === "Enter") onSettled(shown.trim());
      }}
      {...(isSearch ? { leftSection: <IconSearch size={16} />, type: "search", "data-page-search": true } : {})}
    />
  );
}
