import { Badge, Button, Group, Stack, Table } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client.ts";
import { keys, useMay } from "../../api/queries.ts";
import type { FunctionWithAll, Version } from "../../api/schema.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { PageLoading } from "../../components/page.tsx";
import { Section } from "../../components/section.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { toastDeferred, toastDone, toastFault } from "../../components/toast.tsx";
import { useFormat } from "../../i18n/format.ts";
import { versionMessages } from "../../messages/function-versions.ts";
import classes from "./function.module.css";
import { TrafficSplit } from "./traffic-split.tsx";
import { VersionDiff } from "./version-diff.tsx";

/** What was deployed: who and when, what changed, and which of it is live. */
export default function VersionsTab({ stored }: { stored: FunctionWithAll }) {
  const text = versionMessages.use();
  const queries = useQueryClient();
  const [hidden, setHidden] = useState<readonly number[]>([]);
  const found = useInfiniteQuery({
    queryKey: [...keys.function(stored.name), "versions"],
    queryFn: ({ signal, pageParam }) =>
      call("listVersions", { params: { id: stored.id }, query: { limit: 50, cursor: pageParam } }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
  });
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: keys.function(stored.name) });

  async function activate(version: number): Promise<void> {
    await call("activateVersion", { params: { id: stored.id, version } });
    await refresh();
  }
  async function activateAndSay(version: number): Promise<void> {
    const before = stored.activeVersion;
    try {
      await activate(version);
      toastDone(text.activated(version), before === undefined ? undefined : () => activate(before));
    } catch (error) {
      toastFault(error);
    }
  }
  function remove(version: number): void {
    const show = (): void => setHidden((before) => before.filter((other) => other !== version));
    const act = async (): Promise<void> => {
      await call("deleteVersion", { params: { id: stored.id, version } }, { keepalive: true });
      await refresh();
      show();
    };
    setHidden((before) => [...before, version]);
    toastDeferred(text.removed(version), act, show);
  }

  if (found.error !== null) return <FaultNotice error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <PageLoading />;
  const versions = found.data.pages.flatMap(({ items }) => items).filter(({ version }) => !hidden.includes(version));
  if (versions.length === 0) return <EmptyState title={text.noVersions} />;
  return (
    <Stack gap="xl">
      <Section title={text.versions}>
        <div className={classes.scroll}>
          <Table verticalSpacing="sm" horizontalSpacing="md" className={classes.lines}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{text.version}</Table.Th>
                <Table.Th>{text.when}</Table.Th>
                <Table.Th>{text.who}</Table.Th>
                <Table.Th>{text.size}</Table.Th>
                <Table.Th>
                  <span className="visually-hidden">{text.actions}</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {versions.map((version) => (
                <Row
                  key={version.version}
                  version={version}
                  isLive={version.version === stored.activeVersion}
                  onActivate={() => void activateAndSay(version.version)}
                  onRemove={() => remove(version.version)}
                />
              ))}
            </Table.Tbody>
          </Table>
        </div>
        {found.hasNextPage ? (
          <Button
            m="md"
            variant="default"
            loading={found.isFetchingNextPage}
            onClick={() => void found.fetchNextPage()}
          >
            {text.more}
          </Button>
        ) : null}
      </Section>
      <VersionDiff stored={stored} versions={versions} />
      <TrafficSplit key={JSON.stringify(stored.aliases)} stored={stored} versions={versions} onChanged={refresh} />
    </Stack>
  );
}

interface RowProps {
  readonly version: Version;
  readonly isLive: boolean;
  readonly onActivate: () => void;
  readonly onRemove: () => void;
}

function Row({ version: { version, createdAt, createdBy, sizeBytes }, isLive, onActivate, onRemove }: RowProps) {
  const text = versionMessages.use();
  const format = useFormat();
  const mayDeploy = useMay("deploy");
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          {version}
          {isLive ? (
            <Badge variant="light" flex="none">
              {text.live}
            </Badge>
          ) : null}
        </Group>
      </Table.Td>
      <Table.Td>
        <TimeAgo time={createdAt} />
      </Table.Td>
      <Table.Td>{createdBy ?? text.nobody}</Table.Td>
      <Table.Td>{format.bytes(sizeBytes)}</Table.Td>
      <Table.Td>
        {isLive || !mayDeploy ? null : (
          <Group gap="xs" wrap="nowrap" justify="flex-end">
            <Button size="compact-sm" variant="default" onClick={onActivate}>
              {text.activate}
            </Button>
            <Button
              size="compact-sm"
              variant="subtle"
              color="red"
              onClick={onRemove}
              aria-label={text.removeVersion(version)}
            >
              {text.remove}
            </Button>
          </Group>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
