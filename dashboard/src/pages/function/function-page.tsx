// One function: its heading, and the tab that the address names. Each tab is a chunk of its own.
import { Badge, Code, Group, Tabs } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useLocation } from "wouter";
import { useFunction } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { ErrorBoundary } from "../../components/error-boundary.tsx";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { LanguageMark } from "../../components/language-mark.tsx";
import { Page, PageLoading } from "../../components/page.tsx";
import { functionMessages } from "../../messages/function.ts";
import { paths } from "../../router.ts";
import { reachableUrl } from "../../components/reachable-url.ts";
import classes from "./function.module.css";

const CodeTab = lazy(() => import("./code-tab.tsx"));
const TestTab = lazy(() => import("./test-tab.tsx"));
const VersionsTab = lazy(() => import("./versions-tab.tsx"));
const DataTab = lazy(() => import("./data-tab.tsx"));
const SettingsTab = lazy(() => import("./settings-tab.tsx"));
const ExecutionsTab = lazy(() => import("./executions-tab.tsx"));
const MetricsTab = lazy(() => import("./metrics-tab.tsx"));

const TABS = ["code", "test", "versions", "executions", "metrics", "data", "settings"] as const;
type Tab = (typeof TABS)[number];

export default function FunctionPage({ name, tab }: { name: string; tab: string | undefined }) {
  const text = functionMessages.use();
  const [, navigate] = useLocation();
  const found = useFunction(name);
  const current = TABS.find((known) => known === tab) ?? "code";
  const stored = found.data;
  return (
    <Page
      title={name}
      heading={
        <Group gap="sm" component="span">
          {name}
          {stored?.language === undefined ? null : <LanguageMark language={stored.language} />}
          {stored?.disabled === true ? (
            <Badge color="gray" component="span">
              {text.disabled}
            </Badge>
          ) : null}
        </Group>
      }
      description={stored === undefined ? undefined : <Address stored={stored} />}
    >
      <Tabs
        value={current}
        onChange={(chosen) => chosen !== null && navigate(paths.function(name, chosen))}
        keepMounted={false}
      >
        <div className={classes.tabs}>
          <Tabs.List aria-label={text.tabs} mb="lg">
            {TABS.map((known) => (
              <Tabs.Tab key={known} value={known}>
                {text[known]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </div>
        <Tabs.Panel value={current}>
          {found.error !== null && stored === undefined ? (
            <FaultNotice error={found.error} onRetry={() => void found.refetch()} />
          ) : stored === undefined ? (
            <PageLoading />
          ) : (
            <ErrorBoundary key={current}>
              <Suspense fallback={<PageLoading />}>
                <Content tab={current} stored={stored} />
              </Suspense>
            </ErrorBoundary>
          )}
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Address({ stored }: { stored: FunctionWithAll }) {
  const text = functionMessages.use();
  const url = reachableUrl(stored.url);
  return (
    <>
      {stored.description === "" ? null : <span className={classes.about}>{stored.description}</span>}
      <span className={classes.address}>
        <Code>{url}</Code>
        <CopyButton value={url} label={text.copyUrl} />
        <span>{stored.activeVersion === undefined ? text.noVersion : `${text.version} ${stored.activeVersion}`}</span>
      </span>
    </>
  );
}

function Content({ tab, stored }: { tab: Tab; stored: FunctionWithAll }) {
  switch (tab) {
    case "code":
      return <CodeTab key={stored.id} stored={stored} />;
    case "test":
      return <TestTab key={stored.id} stored={stored} />;
    case "versions":
      return <VersionsTab stored={stored} />;
    case "executions":
      return <ExecutionsTab stored={stored} />;
    case "metrics":
      return <MetricsTab stored={stored} />;
    case "data":
      return <DataTab stored={stored} />;
    case "settings":
      return <SettingsTab key={stored.id} stored={stored} />;
  }
}
