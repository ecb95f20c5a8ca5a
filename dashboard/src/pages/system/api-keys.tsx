import { Badge, Button, Group, Modal, Table, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, call } from "../../api/client.ts";
import { keys, useSession } from "../../api/queries.ts";
import type { Key } from "../../api/schema.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconKey, IconPlus } from "../../components/icons.ts";
import { PageLoading } from "../../components/page.tsx";
import { Section } from "../../components/section.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { systemMessages } from "../../messages/system.ts";
import { NewKey } from "./new-key.tsx";

const LOOK_MS = 10_000;

export function ApiKeys() {
  const text = systemMessages.use();
  const { data: session } = useSession();
  const [isMaking, setIsMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key>();
  const { data, error, refetch } = useQuery({
    queryKey: keys.apiKeys,
    queryFn: ({ signal }) => call("listKeys", {}, { signal }),
    refetchInterval: LOOK_MS,
  });
  if (error instanceof ApiError && error.code === "SCOPE_MISSING") {
    return <EmptyState icon={<IconKey size={32} />} title={text.keysForbidden} />;
  }
  return (
    <>
      <Section
        title={text.keys}
        description={session?.via === "open" ? text.keysOpen : text.keysHint}
        actions={
          <Button leftSection={<IconPlus size={16} />} onClick={() => setIsMaking(true)}>
            {text.newKey}
          </Button>
        }
      >
        {error === null ? null : <FaultNotice error={error} onRetry={() => void refetch()} />}
        {data === undefined ? (
          error === null && <PageLoading />
        ) : data.items.length === 0 ? (
          <EmptyState icon={<IconKey size={32} />} title={text.noKeys} />
        ) : (
          <KeyTable items={data.items} onRevoke={setRevoking} />
        )}
      </Section>
      {isMaking ? <NewKey onClose={() => setIsMaking(false)} /> : null}
      {revoking === undefined ? null : <Revoke apiKey={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

function KeyTable({ items, onRevoke }: { items: readonly Key[]; onRevoke: (key: Key) => void }) {
  const text = systemMessages.use();
  return (
    <Table.ScrollContainer minWidth={620}>
      <Table verticalSpacing="sm" horizontalSpacing="md">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{text.keyName}</Table.Th>
            <Table.Th>{text.scope}</Table.Th>
            <Table.Th>{text.begins}</Table.Th>
            <Table.Th>{text.made}</Table.Th>
            <Table.Th>{text.lastUsed}</Table.Th>
            <Table.Th>
              <span className="visually-hidden">{text.revoke}</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((key) => (
            <Table.Tr key={key.id}>
              <Table.Td fw={600}>{key.name}</Table.Td>
              <Table.Td>
                <Badge variant="default" tt="none" fw={500}>
                  {key.scope}
                </Badge>
              </Table.Td>
              <Table.Td ff="monospace">{key.hint}</Table.Td>
              <Table.Td>
                <TimeAgo time={key.createdAt} />
              </Table.Td>
              <Table.Td>
                {key.lastUsedAt === undefined ? (
                  <Text c="dimmed">{text.notUsed}</Text>
                ) : (
                  <TimeAgo time={key.lastUsedAt} />
                )}
              </Table.Td>
              <Table.Td ta="right">
                <Button size="compact-sm" variant="subtle" color="red" onClick={() => onRevoke(key)}>
                  {text.revoke}
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** It cannot be taken back, so it asks first. */
function Revoke({ apiKey, onClose }: { apiKey: Key; onClose: () => void }) {
  const text = systemMessages.use();
  const client = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: () => call("deleteKey", { params: { id: apiKey.id } }),
    onSuccess() {
      toastDone(text.revoked(apiKey.name));
      onClose();
    },
    onError: toastFault,
    onSettled: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={text.revokeTitle(apiKey.name)}
      centered
      closeButtonProps={{ "aria-label": text.close }}
    >
      <Text mb="lg">{text.revokeHint}</Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          {text.cancel}
        </Button>
        <Button color="red" loading={isPending} onClick={() => mutate()}>
          {text.revoke}
        </Button>
      </Group>
    </Modal>
  );
}
