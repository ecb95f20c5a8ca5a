import { Kbd, Modal, Table } from "@mantine/core";
import type { ReactNode } from "react";
import { shellMessages } from "../messages/shell.ts";
import { NAVIGATION } from "./navigation.ts";

export default function ShortcutsHelp({ onClose }: { onClose: () => void }) {
  const text = shellMessages.use();
  const after = (letter: string): ReactNode => (
    <>
      <Kbd>g</Kbd> {text.followedBy} <Kbd>{letter}</Kbd>
    </>
  );
  const rows: readonly (readonly [ReactNode, string])[] = [
    [
      <>
        <Kbd>Ctrl</Kbd> <Kbd>K</Kbd>
      </>,
      text.shortcutPalette,
    ],
    ...NAVIGATION.map(({ page, letter }) => [after(letter), text.shortcutGo(text[page])] as const),
    [after("n"), text.newFunction],
    [<Kbd>/</Kbd>, text.shortcutSearch],
    [<Kbd>?</Kbd>, text.shortcutHelp],
  ];
  return (
    <Modal opened onClose={onClose} title={text.shortcuts} centered closeButtonProps={{ "aria-label": text.close }}>
      <Table withRowBorders={false}>
        <Table.Tbody>
          {rows.map(([pressed, what]) => (
            <Table.Tr key={what}>
              <Table.Td>{what}</Table.Td>
              <Table.Td ta="right">{pressed}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
