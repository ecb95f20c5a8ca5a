import { Button, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Link } from "wouter";
import { call } from "../../api/client.ts";
import { keys, LIVE_MS, useFunctions, useMay, useSystem } from "../../api/queries.ts";
import { FaultNotice } from "../../components/fault-notice.tsx";
import { IconPlus } from "../../components/icons.ts";
import { Page, PageLoading } from "../../components/page.tsx";
import { useFormat } from "../../i18n/format.ts";
import { homeMessages } from "../../messages/home.ts";
import { shellMessages } from "../../messages/shell.ts";
import { paths } from "../../router.ts";
import { Failures } from "./failures.tsx";
import { Pulse, type Recent } from "./pulse.tsx";
import { Sandboxes } from "./sandboxes.tsx";

const FirstSteps = lazy(() => import("./first-steps.tsx"));

/** The server as it is at this moment. */
export default function HomePage() {
  const text = homeMessages.use();
  const shell = shellMessages.use();
  const mayDeploy = useMay("deploy");
  const { data: system, error, refetch } = useSystem();
  const { data: functions } = useFunctions();
  const { data: recent } = useQuery({
    queryKey: [...keys.metrics, "recent"],
    queryFn: ({ signal }) => call("readRecentMetrics", {}, { signal }),
    refetchInterval: LIVE_MS,
  });
  const heading = useHeading(recent);
  // The cards stay when the first function is there: they show what it answered.
  const [wasEmpty, setWasEmpty] = useState(false);
  if (functions?.length === 0 && !wasEmpty) setWasEmpty(true);
  if (system === undefined) {
    return error === null ? (
      <PageLoading />
    ) : (
      <Page title={text.home}>
        <FaultNotice error={error} onRetry={() => void refetch()} />
      </Page>
    );
  }
  return (
    <Page
      title={text.home}
      heading={heading}
      description={functions === undefined ? "\u00a0" : text.functionsHere(functions.length)}
      actions={
        mayDeploy ? (
          <Button component={Link} href={paths.newFunction()} leftSection={<IconPlus size={16} />}>
            {shell.newFunction}
          </Button>
        ) : undefined
      }
    >
      <Stack gap="xl">
        {error === null ? null : <FaultNotice error={error} />}
        {wasEmpty ? (
          <Suspense>
            <FirstSteps />
          </Suspense>
        ) : null}
        <Pulse recent={recent} system={system} />
        <Sandboxes system={system} known={new Set(functions?.map(({ name }) => name))} />
        <Failures />
      </Stack>
    </Page>
  );
}

const TELLING_CALLS = 5; // one call that fails says little
const RATE_STEPS = 3; // 15 s: a number that jumps with each look says nothing

/** In one sentence, how it goes. */
function useHeading(recent: Recent | undefined): string {
  const text = homeMessages.use();
  const format = useFormat();
  if (recent === undefined) return text.home;
  const last = recent.items.slice(-RATE_STEPS - 1, -1);
  const calls = last.reduce((all, step) => all + step.calls, 0);
  const errors = last.reduce((all, step) => all + step.errors, 0);
  const perSecond = calls / (RATE_STEPS * recent.step);
  if (calls >= TELLING_CALLS && errors > calls / 2) return text.failing;
  if (calls === 0) return text.quiet;
  return text.serving(format.number(perSecond, perSecond < 10 ? 1 : 0));
}
