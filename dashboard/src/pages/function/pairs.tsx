import { ActionIcon, Button, Text, TextInput } from "@mantine/core";
import { Fragment } from "react";
import { IconPlus, IconTrash } from "../../components/icons.ts";
import { testMessages } from "../../messages/function-test.ts";
import classes from "./function.module.css";
import type { Pair } from "./test-request.ts";

export interface PairsProps {
  readonly label: string;
  readonly pairs: readonly Pair[];
  readonly onChange: (pairs: readonly Pair[]) => void;
}

/** Names with values, in the order in which they are sent. */
export function Pairs({ label, pairs, onChange }: PairsProps) {
  const text = testMessages.use();
  const change = (index: number, pair: Pair): void => onChange(pairs.map((old, at) => (at === index ? pair : old)));
  return (
    <div role="group" aria-label={label}>
      <Text size="sm" fw={500} mb={4}>
        {label}
      </Text>
      <div className={classes.pairs}>
        {pairs.map(([name, value], index) => (
          // oxlint-disable-next-line react/no-array-index-key -- they have no other name; two may be the same
          <Fragment key={index}>
            <TextInput
              aria-label={text.name(label)}
              value={name}
              onChange={({ currentTarget }) => change(index, [currentTarget.value, value])}
            />
            <TextInput
              aria-label={text.value(label)}
              value={value}
              onChange={({ currentTarget }) => change(index, [name, currentTarget.value])}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={text.remove(label)}
              onClick={() => onChange(pairs.filter((_pair, at) => at !== index))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Fragment>
        ))}
      </div>
      <Button
        mt={4}
        size="compact-sm"
        variant="subtle"
        leftSection={<IconPlus size={14} />}
        onClick={() => onChange([...pairs, ["", ""]])}
      >
        {text.add(label)}
      </Button>
    </div>
  );
}
