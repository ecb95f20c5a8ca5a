import { Box, Group, Loader, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import classes from "./page.module.css";

export interface PageProps {
  /** Also the name of the browser's tab. */
  readonly title: string;
  /** What stands in the heading instead, where that is more than text. */
  readonly heading?: ReactNode;
  readonly description?: ReactNode;
  /** Buttons, at the end of the heading's line. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of every page: heading, one line about it, actions, content. */
export function Page({ title, heading, description, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Cloche`;
  }, [title]);
  return (
    <div className={classes.page}>
      <Group justify="space-between" align="center" gap="md" mb="xl" wrap="wrap">
        <Box miw={0} className={classes.heading}>
          <Title order={1}>{heading ?? title}</Title>
          {description === undefined ? null : (
            <Text c="dimmed" mt={4}>
              {description}
            </Text>
          )}
        </Box>
        {actions === undefined ? null : <Group gap="sm">{actions}</Group>}
      </Group>
      {children}
    </div>
  );
}

/** While a page's code or its first answer is on the way. It shows itself only to those who wait. */
export function PageLoading() {
  return (
    <div className={classes.loading} role="status" aria-label="…">
      <Loader size="sm" />
    </div>
  );
}
