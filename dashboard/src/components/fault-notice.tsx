import { Alert, Button, Group, Text } from "@mantine/core";
import { ApiError, messageOf } from "../api/client.ts";
import { shellMessages } from "../messages/shell.ts";
import { IconAlert } from "./icons.ts";

export interface FaultNoticeProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** A fault in place of what was asked for: what the server said, its code, and another try. */
export function FaultNotice({ error, onRetry }: FaultNoticeProps) {
  const text = shellMessages.use();
  const isGone = error instanceof ApiError && error.status === 0;
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlert size={18} />}
      title={isGone ? text.unreachable : text.failed}
      role="alert"
    >
      <Group justify="space-between" align="flex-end">
        <Text size="sm">
          {isGone ? text.unreachableHint : messageOf(error)}
          {error instanceof ApiError && !isGone ? ` (${error.code})` : ""}
        </Text>
        {onRetry === undefined ? null : (
          <Button size="xs" variant="default" onClick={onRetry}>
            {text.retry}
          </Button>
        )}
      </Group>
    </Alert>
  );
}
