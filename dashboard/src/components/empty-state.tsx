import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

export interface EmptyStateProps {
  readonly icon?: ReactNode;
  readonly title: string;
  readonly action?: ReactNode;
  readonly children?: ReactNode;
}

/** What stands where there is nothing yet: what it would be, and how to get it. */
export function EmptyState({ icon, title, action, children }: EmptyStateProps) {
  return (
    <Stack align="center" gap="sm" py="3rem" px="md" ta="center">
      {icon === undefined ? null : <Text c="var(--cloche-accent)">{icon}</Text>}
      <Title order={2}>{title}</Title>
      {children === undefined ? null : (
        <Text c="dimmed" maw="34rem">
          {children}
        </Text>
      )}
      {action}
    </Stack>
  );
}
