import { Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { IconAlert } from "../icons.ts";
import classes from "./fault-box.module.css";

/** What went wrong with somebody's code. `isNew`: it has just happened, and is read aloud. */
export function FaultBox({ title, isNew = false, children }: { title: string; isNew?: boolean; children: ReactNode }) {
  return (
    <div className={classes.box} role={isNew ? "alert" : "region"} aria-label={title}>
      <Group gap="xs" mb="xs" className={classes.title}>
        <IconAlert size={18} aria-hidden />
        <Text fw={600}>{title}</Text>
      </Group>
      <Stack gap="sm">{children}</Stack>
    </div>
  );
}
