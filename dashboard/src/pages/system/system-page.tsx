import { Tabs } from "@mantine/core";
import { useLocation } from "wouter";
import { useSystem } from "../../api/queries.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { Page, PageLoading } from "../../components/page.tsx";
import { shellMessages } from "../../messages/shell.ts";
import { systemMessages } from "../../messages/system.ts";
import { paths } from "../../router.ts";
import { ApiKeys } from "./api-keys.tsx";
import { Overview } from "./overview.tsx";

const LOOK_MS = 5000;

/** What the server is made of, and who may talk to it. */
export default function SystemPage({ section }: { section: string | undefined }) {
  const text = systemMessages.use();
  const shell = shellMessages.use();
  const [, navigate] = useLocation();
  const { data: system, error, refetch } = useSystem(LOOK_MS);
  return (
    <Page title={shell.system} description={text.hint}>
      <Tabs
        value={section === "keys" ? "keys" : "overview"}
        onChange={(value) => navigate(value === "keys" ? paths.system("keys") : paths.system())}
        keepMounted={false}
      >
        <Tabs.List mb="xl">
          <Tabs.Tab value="overview">{text.overview}</Tabs.Tab>
          <Tabs.Tab value="keys">{text.keysTab}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview">
          {error === null ? null : <FaultNotice error={error} onRetry={() => void refetch()} />}
          {system === undefined ? error === null && <PageLoading /> : <Overview system={system} />}
        </Tabs.Panel>
        <Tabs.Panel value="keys">
          <ApiKeys />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
