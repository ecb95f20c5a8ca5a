// What stands around the sandboxes: the queue, the store, and the other servers on it.
import { Text } from "@mantine/core";
import type { Node, System } from "../../api/system.ts";
import { Section } from "../../components/section.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useFormat } from "../../i18n/format.ts";
import { systemMessages } from "../../messages/system.ts";
import { Facts } from "./facts.tsx";
import classes from "./overview.module.css";

const COUNTS = ["queued", "running", "completed", "dead", "cancelled", "runningHere", "concurrency"] as const;

export function Jobs({ system: { jobs } }: { system: System }) {
  const text = systemMessages.use();
  const format = useFormat();
  const facts = COUNTS.flatMap((name) => {
    const count = jobs?.[name];
    return typeof count === "number" ? [[text[`jobs-${name}`], format.number(count)] as const] : [];
  });
  if (facts.length === 0) return null;
  return (
    <Section title={text.jobs} description={text.jobsHint}>
      <Facts facts={facts} />
    </Section>
  );
}

const STORE_NAMES: Readonly<Record<string, string>> = { sqlite: "SQLite", redis: "Redis" };

export function Store({ system: { store } }: { system: System }) {
  const text = systemMessages.use();
  if (store === undefined) return null;
  const { kind, place } = store;
  return (
    <Section title={text.store}>
      <Facts
        facts={[
          [text.storeKind, STORE_NAMES[kind] ?? kind],
          ...(place === undefined ? [] : [[text.storePlace, place] as const]),
        ]}
      />
    </Section>
  );
}

/** Every server on the same store. */
export function Nodes({ system: { nodes = [] } }: { system: System }) {
  const text = systemMessages.use();
  if (nodes.length === 0) return null;
  return (
    <Section title={text.nodes} description={text.nodesHint}>
      <ul className={classes.list}>
        {nodes.map((node) => (
          <li key={node.id} className={classes.row}>
            <NodeLine node={node} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function NodeLine({ node: { id, host, pid, url, version, startedAt, memoryBytes, pool } }: { node: Node }) {
  const text = systemMessages.use();
  const format = useFormat();
  const facts = [
    ...(version === undefined ? [] : [`Cloche ${version}`]),
    ...(memoryBytes === undefined ? [] : [format.bytes(memoryBytes)]),
    ...(pool === undefined ? [] : [text.nodeBusy(pool.busy, pool.maxWorkers), text.nodeWaiting(pool.waiting)]),
  ];
  return (
    <div>
      <Text fw={600}>{url ?? (host === undefined ? id : `${host}, ${pid ?? ""}`)}</Text>
      <Text size="sm" c="dimmed">
        {facts.join(" · ")}
        {startedAt === undefined ? null : (
          <>
            {" · "}
            {text.started}: <TimeAgo time={startedAt} />
          </>
        )}
      </Text>
    </div>
  );
}
