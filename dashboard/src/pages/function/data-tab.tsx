import { ActionIcon, Button, Group, SegmentedControl, Table, Text, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call, send, urlOf } from "../../api/client.ts";
import { parseExact } from "../../api/exact-json.ts";
import { useMay } from "../../api/queries.ts";
import { type FunctionWithAll, type KvEntry, ROUTES } from "../../api/schema.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconPlus, IconTrash } from "../../components/icons.ts";
import { PageLoading } from "../../components/page.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { toastDeferred } from "../../components/toast.tsx";
import { dataMessages } from "../../messages/function-data.ts";
import { useQueryState } from "../../router.ts";
import { type Edited, EntryEditor } from "./entry-editor.tsx";
import classes from "./function.module.css";

/** Keys and values, the function's own and those that all share. The prefix and the store are in the address. */
export default function DataTab({ stored }: { stored: FunctionWithAll }) {
  const text = dataMessages.use();
  const queries = useQueryClient();
  const mayDeploy = useMay("deploy");
  const [prefix, setPrefix] = useQueryState("prefix");
  const [store, setStore] = useQueryState("store");
  const isShared = store === "shared";
  const [edited, setEdited] = useState<Edited>();
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const queryKey = ["kv", isShared ? "" : stored.id];
  const found = useInfiniteQuery({
    queryKey: [...queryKey, prefix],
    async queryFn({ signal, pageParam }) {
      const path = ROUTES[isShared ? "listGlobalKv" : "listFunctionKv"][1];
      const response = await send(urlOf(path, { id: stored.id }, { prefix, limit: 100, cursor: pageParam }), {
        signal,
      });
      return parseExact(await response.text()) as { items: KvEntry[]; nextCursor?: string };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
  });
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey });

  function remove(key: string): void {
    const show = (): void => setHidden((before) => before.filter((other) => other !== key));
    const act = async (): Promise<void> => {
      if (isShared) await call("deleteGlobalKv", { params: { key } }, { keepalive: true });
      else await call("deleteFunctionKv", { params: { id: stored.id, key } }, { keepalive: true });
      await refresh();
      show();
    };
    setHidden((before) => [...before, key]);
    toastDeferred(text.removed(key), act, show);
  }

  const items = found.data?.pages.flatMap((page) => page.items).filter(({ key }) => !hidden.includes(key));
  return (
    <>
      <Group mb="md" align="flex-end">
        <SegmentedControl
          aria-label={text.store}
          value={isShared ? "shared" : "own"}
          onChange={(chosen) => setStore(chosen === "own" ? "" : chosen)}
          data={[
            { value: "own", label: text.own },
            { value: "shared", label: text.shared },
          ]}
        />
        <TextInput
          aria-label={text.prefix}
          placeholder={text.prefix}
          data-page-search
          value={prefix}
          onChange={({ currentTarget }) => setPrefix(currentTarget.value)}
        />
        {mayDeploy ? (
          <Button
            variant="default"
            leftSection={<IconPlus size={16} />}
            onClick={() => setEdited({ key: prefix, value: "", ttl: "", isNew: true })}
          >
            {text.newKey}
          </Button>
        ) : null}
      </Group>
      {found.error !== null ? (
        <FaultNotice error={found.error} onRetry={() => void found.refetch()} />
      ) : items === undefined ? (
        <PageLoading />
      ) : items.length === 0 ? (
        <EmptyState title={text.none}>{text.noneHint}</EmptyState>
      ) : (
        <div className={`card ${classes.scroll}`}>
          <Table horizontalSpacing="md">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{text.key}</Table.Th>
                <Table.Th>{text.value}</Table.Th>
                <Table.Th>{text.expires}</Table.Th>
                <Table.Td />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((item) => (
                <Table.Tr key={item.key}>
                  <Table.Td>
                    {mayDeploy ? (
                      <Button
                        size="compact-sm"
                        variant="subtle"
                        ff="monospace"
                        aria-label={text.edit(item.key)}
                        onClick={() => setEdited(editedOf(item))}
                      >
                        {item.key}
                      </Button>
                    ) : (
                      item.key
                    )}
                  </Table.Td>
                  <Table.Td maw="26rem">
                    <Text ff="monospace" size="sm" truncate>
                      {JSON.stringify(item.value)}
                    </Text>
                  </Table.Td>
                  <Table.Td>{item.expiresAt === undefined ? text.never : <TimeAgo time={item.expiresAt} />}</Table.Td>
                  <Table.Td>
                    {mayDeploy ? (
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        onClick={() => remove(item.key)}
                        aria-label={text.remove(item.key)}
                      >
                        <IconTrash size={16} />
                      </ActionIcon>
                    ) : null}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {found.hasNextPage ? (
        <Button mt="md" variant="default" onClick={() => void found.fetchNextPage()}>
          {text.more}
        </Button>
      ) : null}
      {edited === undefined ? null : (
        <EntryEditor
          edited={edited}
          functionId={isShared ? undefined : stored.id}
          onSaved={refresh}
          onClose={() => setEdited(undefined)}
        />
      )}
    </>
  );
}

function editedOf({ key, value, expiresAt }: KvEntry): Edited {
  const leftMs = expiresAt === undefined ? undefined : new Date(expiresAt).getTime() - Date.now();
  const ttl = leftMs === undefined ? "" : Math.max(1, Math.round(leftMs / 1000));
  return { key, value: JSON.stringify(value, undefined, 2), ttl, isNew: false };
}
