import { ActionIcon, CopyButton as MantineCopyButton } from "@mantine/core";
import { shellMessages } from "../messages/shell.ts";
import { IconCheck, IconCopy } from "./icons.ts";

/** Copies `value`. `label` says what that is, for those who cannot see where the button stands. */
export function CopyButton({ value, label }: { value: string; label?: string }) {
  const text = shellMessages.use();
  return (
    <MantineCopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <ActionIcon
          variant="subtle"
          color={copied ? "glass" : "gray"}
          onClick={copy}
          aria-label={label ?? text.copy}
          title={copied ? text.copied : (label ?? text.copy)}
        >
          {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
        </ActionIcon>
      )}
    </MantineCopyButton>
  );
}
