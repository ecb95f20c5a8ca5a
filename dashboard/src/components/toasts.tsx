// The part of toast.tsx that is loaded with the first toast: most visits see none.
import { Button, Group, Text } from "@mantine/core";
import { Notifications, notifications } from "@mantine/notifications";
import { ApiError, messageOf } from "../api/client.ts";
import { shellMessages } from "../messages/shell.ts";
import { UNDO_MS } from "./toast.tsx";

const DONE_MS = 4_000;
let shownCount = 0;

const FAULT_MS = 10_000;

export default function ToastArea() {
  return <Notifications position="bottom-right" limit={4} />;
}

export function showDone(message: string, undo?: () => Promise<unknown>): void {
  const id = `done-${(shownCount += 1)}`; // crypto.randomUUID is not there on plain http from another machine
  const text = shellMessages.now();
  notifications.show({
    id,
    autoClose: undo === undefined ? DONE_MS : UNDO_MS,
    closeButtonProps: { "aria-label": text.dismiss },
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        {undo === undefined ? null : (
          <Button
            size="compact-sm"
            variant="light"
            onClick={() => {
              notifications.hide(id);
              void undo().then(() => showDone(text.undone), showFault);
            }}
          >
            {text.undo}
          </Button>
        )}
      </Group>
    ),
  });
}

export function showFault(error: unknown): void {
  if (error instanceof ApiError && error.code === "KEY_REQUIRED") return;
  const text = shellMessages.now();
  notifications.show({
    color: "red",
    autoClose: FAULT_MS,
    closeButtonProps: { "aria-label": text.dismiss },
    title: text.failed,
    message: messageOf(error),
  });
}
