import { Alert, Button, Code, Group, Modal, Radio, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { Key } from "../../api/schema.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconKey } from "../../components/icons.ts";
import { systemMessages } from "../../messages/system.ts";

const SCOPES = ["admin", "deploy", "invoke", "read"] as const satisfies readonly Key["scope"][];

/** Asks for a name and a scope, then shows the key this once. A click beside the dialog does not close it then. */
export function NewKey({ onClose }: { onClose: () => void }) {
  const text = systemMessages.use();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Key["scope"]>("deploy");
  const { mutate, data, isPending, error } = useMutation({
    mutationFn: () => call("createKey", { body: { name: name.trim(), scope } }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
  });
  const isShown = data !== undefined;
  return (
    <Modal
      opened
      onClose={onClose}
      title={text.newKey}
      centered
      closeOnClickOutside={!isShown}
      closeOnEscape={!isShown}
      closeButtonProps={{ "aria-label": text.close }}
    >
      {isShown ? (
        <Stack>
          <Alert color="glass" variant="light" icon={<IconKey size={18} />} title={text.keyShownOnce}>
            {text.keyShownHint}
          </Alert>
          <Group wrap="nowrap" gap="xs">
            <Code block flex={1} miw={0} style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
              {data.key}
            </Code>
            <CopyButton value={data.key} label={text.copyKey} />
          </Group>
          <Button onClick={onClose}>{text.done}</Button>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            mutate();
          }}
        >
          <Stack>
            <TextInput
              label={text.keyName}
              description={text.keyNameHint}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              maxLength={100}
              data-autofocus
              required
            />
            <Radio.Group label={text.scope} value={scope} onChange={(value) => setScope(value)}>
              <Stack gap="xs" mt="xs">
                {SCOPES.map((one) => (
                  <Radio key={one} value={one} label={text[one]} />
                ))}
              </Stack>
            </Radio.Group>
            {error === null ? null : <FaultNotice error={error} />}
            <Button type="submit" loading={isPending} disabled={name.trim() === ""}>
              {text.createKey}
            </Button>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
