import { Button, Modal, NumberInput, Stack, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { send, urlOf } from "../../api/client.ts";
import { jsonFault } from "../../api/exact-json.ts";
import { ROUTES } from "../../api/schema.ts";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { dataMessages } from "../../messages/function-data.ts";
import { shellMessages } from "../../messages/shell.ts";

export interface Edited {
  readonly key: string;
  /** A JSON text. */
  readonly value: string;
  /** Seconds; "" for good. */
  readonly ttl: number | string;
  readonly isNew: boolean;
}

export interface EntryEditorProps {
  readonly edited: Edited;
  /** Undefined: the store that all functions share. */
  readonly functionId: string | undefined;
  readonly onSaved: () => Promise<void>;
  readonly onClose: () => void;
}

/** One key with its value, sent as it was typed: the digits of large numbers stay. */
export function EntryEditor({ edited, functionId, onSaved, onClose }: EntryEditorProps) {
  const text = dataMessages.use();
  const shell = shellMessages.use();
  const [key, setKey] = useState(edited.key);
  const [value, setValue] = useState(edited.value);
  const [ttl, setTtl] = useState(edited.ttl);
  const fault = value === "" ? undefined : jsonFault(value);

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (fault !== undefined) return;
    try {
      const path = ROUTES[functionId === undefined ? "putGlobalKv" : "putFunctionKv"][1];
      const url = urlOf(path, { id: functionId, key }, { ttl: ttl === "" ? undefined : ttl });
      const headers = { "Content-Type": "application/json" };
      await send(url, { method: "PUT", headers, body: `{"value": ${value}}` });
      toastDone(text.saved(key));
      onClose();
      await onSaved();
    } catch (error) {
      toastFault(error);
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={edited.isNew ? text.newKey : text.edit(edited.key)}
      closeButtonProps={{ "aria-label": shell.close }}
    >
      <form onSubmit={(event) => void save(event)}>
        <Stack>
          <TextInput
            label={text.key}
            value={key}
            onChange={({ currentTarget }) => setKey(currentTarget.value)}
            readOnly={!edited.isNew}
            required
          />
          <Textarea
            label={text.json}
            value={value}
            onChange={({ currentTarget }) => setValue(currentTarget.value)}
            error={fault === undefined ? undefined : text.notJson(fault)}
            autosize
            minRows={3}
            maxRows={16}
            required
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          />
          <NumberInput label={text.ttl} description={text.ttlHint} value={ttl} onChange={setTtl} min={1} hideControls />
          <Button type="submit" disabled={fault !== undefined}>
            {text.save}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
