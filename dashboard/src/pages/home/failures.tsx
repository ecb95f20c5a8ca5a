import { Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { Link } from "wouter";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { Execution } from "../../api/schema.ts";
import { firstLine } from "../../components/executions/first-line.ts";
import { Section } from "../../components/section.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { homeMessages } from "../../messages/home.ts";
import { paths } from "../../router.ts";
import classes from "./failures.module.css";

const FAILED = ["error", "timeout", "oom", "killed"] as const;
const SHOWN = 6;
const LOOKED_AT = 25; // of each kind
const LOOK_MS = 4000;

/** The last executions that went wrong, whichever way. */
export function Failures() {
  const text = homeMessages.use();
  const found = useFailures();
  return (
    <Section title={text.failures} description={text.failuresHint}>
      {found.length === 0 ? (
        <Text c="dimmed" size="sm" p="lg">
          {text.noFailures}
        </Text>
      ) : (
        <ul className={classes.list}>
          {found.map(({ last, count }) => (
            <li key={last.id}>
              <Link href={paths.execution(last.id)} className={classes.row}>
                <span className={classes.name}>{last.functionName ?? text.adHoc}</span>
                <StatusBadge status={last.status} />
                <span className={classes.error}>
                  {firstLine(last.error) ?? (last.httpStatus === undefined ? "" : text.answeredStatus(last.httpStatus))}
                </span>
                <span className={classes.time}>
                  {count > 1 ? `${text.times(count)} · ` : ""}
                  <TimeAgo time={last.queuedAt} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** Failures that are the same but for their time. */
interface Group {
  readonly last: Execution;
  readonly count: number;
}

/** The API filters by one status at a time. */
function useFailures(): Group[] {
  const pages = useQueries({
    queries: FAILED.map((status) => ({
      queryKey: [...keys.executions, { status, limit: LOOKED_AT }],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call("listExecutions", { query: { status, limit: LOOKED_AT } }, { signal }),
      refetchInterval: LOOK_MS,
    })),
  });
  const groups = new Map<string, Group>();
  for (const execution of pages.flatMap(({ data }) => data?.items ?? [])) {
    const { functionName = "", status, error = "", httpStatus = 0 } = execution;
    const key = [functionName, status, error, httpStatus].join("\n");
    const { last = execution, count = 0 } = groups.get(key) ?? {};
    groups.set(key, { last: last.queuedAt < execution.queuedAt ? execution : last, count: count + 1 });
  }
  return [...groups.values()].sort((one, other) => (one.last.queuedAt < other.last.queuedAt ? 1 : -1)).slice(0, SHOWN);
}
