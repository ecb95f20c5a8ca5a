import { ActionIcon } from "@mantine/core";
import { useEffect, useState } from "react";
import { shellMessages } from "../messages/shell.ts";
import { copyText } from "./copy-text.ts";
import { IconCheck, IconCopy } from "./icons.ts";
import { toastFault } from "./toast.tsx";

const SHOWN_MS = 1_500;

/** Copies `value`. `label` says what that is, for those who cannot see where the button stands. */
export function CopyButton({ value, label }: { value: string; label?: string }) {
  const text = shellMessages.use();
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = window.setTimeout(() => setIsCopied(false), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  return (
    <ActionIcon
      variant="subtle"
      color={isCopied ? "glass" : "gray"}
      onClick={() => void copyText(value).then(() => setIsCopied(true), toastFault)}
      aria-label={label ?? text.copy}
      title={isCopied ? text.copied : (label ?? text.copy)}
    >
      {isCopied ? <IconCheck size={16} /> : <IconCopy size={16} />}
    </ActionIcon>
  );
}
