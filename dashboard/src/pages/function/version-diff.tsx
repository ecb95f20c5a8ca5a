import { Group, NativeSelect, Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { type CSSProperties, lazy, Suspense, useState } from "react";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import type { FunctionWithAll, Version, VersionWithCode } from "../../api/schema.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { PageLoading } from "../../components/page.tsx";
import { Section } from "../../components/section.tsx";
import { versionMessages } from "../../messages/function-versions.ts";
import { useQueryState } from "../../router.ts";
import classes from "./function.module.css";
import { codeOf } from "./working-copy.ts";

const DiffEditor = lazy(() => import("../../editor/diff-editor.tsx"));

/** Two versions, file by file. Which ones is in the address. */
export function VersionDiff({ stored, versions }: { stored: FunctionWithAll; versions: readonly Version[] }) {
  const text = versionMessages.use();
  const [from, setFrom] = useQueryState("from");
  const [to, setTo] = useQueryState("to");
  const after = to || String(versions[0]?.version ?? "");
  const before = from || String(versions.find(({ version }) => String(version) !== after)?.version ?? "");
  if (versions.length < 2) {
    return (
      <Text size="sm" c="dimmed">
        {text.oneVersion}
      </Text>
    );
  }
  const choices = versions.map(({ version }) => String(version));
  return (
    <Section
      title={text.compare}
      actions={
        <Group gap="xs">
          <NativeSelect
            aria-label={text.compareFrom}
            data={choices}
            value={before}
            onChange={({ currentTarget }) => setFrom(currentTarget.value)}
          />
          →
          <NativeSelect
            aria-label={text.compareTo}
            data={choices}
            value={after}
            onChange={({ currentTarget }) => setTo(currentTarget.value)}
          />
        </Group>
      }
    >
      <Compared key={`${before} ${after}`} stored={stored} before={before} after={after} />
    </Section>
  );
}

function Compared({ stored, before, after }: { stored: FunctionWithAll; before: string; after: string }) {
  const text = versionMessages.use();
  const [chosen, setChosen] = useState("");
  const both = useQueries({
    queries: [before, after].map((version) => ({
      queryKey: [...keys.function(stored.name), "version", version],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call("readVersion", { params: { id: stored.id, version: Number(version) } }, { signal }),
      staleTime: Infinity, // a version never changes
    })),
  });
  const fault = both.find(({ error }) => error !== null)?.error;
  const [one, other] = both.map(({ data }) => data);
  if (fault !== undefined && fault !== null) return <FaultNotice error={fault} />;
  if (one === undefined || other === undefined) return <PageLoading />;
  const changes = changesOf(one, other);
  const shown = changes.find(({ path }) => path === chosen) ?? changes[0];
  if (shown === undefined) return <Text p="md">{text.same}</Text>;
  return (
    <>
      <div className={classes.bar}>
        <NativeSelect
          aria-label={text.file}
          data={changes.map(({ path, status }) => ({ value: path, label: text.fileStatus(path, text[status]) }))}
          value={shown.path}
          onChange={({ currentTarget }) => setChosen(currentTarget.value)}
        />
      </div>
      <div className={classes.diff} style={{ "--diff-lines": linesOf(shown) } as CSSProperties}>
        <Suspense fallback={<PageLoading />}>
          <DiffEditor
            path={shown.path}
            language={stored.language ?? ""}
            before={shown.before}
            after={shown.after}
            label={shown.path}
          />
        </Suspense>
      </div>
    </>
  );
}

function linesOf({ before, after }: Change): number {
  return Math.max(before.split("\n").length, after.split("\n").length);
}

interface Change {
  readonly path: string;
  readonly status: "added" | "changed" | "gone";
  readonly before: string;
  readonly after: string;
}

function changesOf(one: VersionWithCode, other: VersionWithCode): readonly Change[] {
  const before = codeOf(one, one.language).files;
  const after = codeOf(other, other.language).files;
  return [...new Set([...Object.keys(after), ...Object.keys(before)])]
    .filter((path) => before[path] !== after[path])
    .map((path) => ({
      path,
      status: before[path] === undefined ? "added" : after[path] === undefined ? "gone" : "changed",
      before: before[path] ?? "",
      after: after[path] ?? "",
    }));
}
