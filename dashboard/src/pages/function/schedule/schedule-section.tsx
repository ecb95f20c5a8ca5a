// When the function is run by itself: what is set, what comes next, and the form to change it.
import { Anchor, Badge, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { call, send, urlOf } from "../../../api/client.ts";
import { parseExact } from "../../../api/exact-json.ts";
import { keys } from "../../../api/queries.ts";
import { type FunctionWithAll, ROUTES, type Schedule } from "../../../api/schema.ts";
import { FaultNotice } from "../../../components/fault-notice.tsx";
import { IconClock } from "../../../components/icons.ts";
import { PageLoading } from "../../../components/page.tsx";
import { Section } from "../../../components/section.tsx";
import { toastDone, toastFault } from "../../../components/toast.tsx";
import { scheduleMessages } from "../../../messages/schedule.ts";
import { paths } from "../../../router.ts";
import classes from "../function.module.css";
import { NextFires } from "./next-fires.tsx";
import { newSchedule } from "./presets.ts";
import { ScheduleForm } from "./schedule-form.tsx";

export function ScheduleSection({ stored }: { stored: FunctionWithAll }) {
  const text = scheduleMessages.use();
  const {
    data: schedule,
    error,
    refetch,
  } = useQuery({
    queryKey: ["schedule", stored.id, stored.updatedAt], // not asked for again when it has been removed
    // Of its own, so that the digits of an input's numbers stay.
    queryFn: async ({ signal }) => {
      const response = await send(urlOf(ROUTES.readSchedule[1], { id: stored.id }), { signal });
      return parseExact(await response.text()) as Schedule;
    },
    enabled: stored.schedule !== undefined,
    structuralSharing: false,
  });
  return (
    <Section
      title={text.title}
      description={text.hint}
      actions={schedule?.paused === true ? <Badge color="gray">{text.paused}</Badge> : undefined}
    >
      <div className={classes.pad}>
        {stored.schedule === undefined ? (
          <NoSchedule stored={stored} />
        ) : schedule !== undefined ? (
          <SetSchedule key={stored.updatedAt} stored={stored} schedule={schedule} />
        ) : error === null ? (
          <PageLoading />
        ) : (
          <FaultNotice error={error} onRetry={() => void refetch()} />
        )}
      </div>
    </Section>
  );
}

function NoSchedule({ stored }: { stored: FunctionWithAll }) {
  const text = scheduleMessages.use();
  const { put } = useChanges(stored);
  const [isAdding, setIsAdding] = useState(false);
  if (isAdding) {
    return (
      <ScheduleForm
        schedule={newSchedule()}
        onCancel={() => setIsAdding(false)}
        onSave={async (wanted) => {
          await put(wanted);
          toastDone(text.saved);
        }}
      />
    );
  }
  return (
    <Group justify="space-between">
      <Text size="sm">{text.none}</Text>
      <Button variant="default" leftSection={<IconClock size={16} />} onClick={() => setIsAdding(true)}>
        {text.add}
      </Button>
    </Group>
  );
}

function SetSchedule({ stored, schedule }: { stored: FunctionWithAll; schedule: Schedule }) {
  const text = scheduleMessages.use();
  const { put, remove } = useChanges(stored);
  const [jobId, setJobId] = useState<string>();
  const [isChanged, setIsChanged] = useState(false);

  async function tryTo(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      toastFault(error);
    }
  }
  const setPaused = (paused: boolean): Promise<void> =>
    tryTo(async () => {
      await put({ ...schedule, paused });
      toastDone(paused ? text.nowPaused : text.nowResumed, () => put(schedule));
    });
  const runNow = (): Promise<void> =>
    tryTo(async () => {
      const { jobId: started } = await call("runSchedule", { params: { id: stored.id } });
      setJobId(started);
      toastDone(text.started);
    });
  const takeAway = (): Promise<void> =>
    tryTo(async () => {
      await remove();
      toastDone(text.removed, () => put(schedule));
    });
  return (
    <Stack gap="lg">
      <NextFires stored={stored} schedule={schedule} isChanged={isChanged} />
      <Group gap="sm">
        <Button variant="default" onClick={() => void runNow()}>
          {text.runNow}
        </Button>
        <Button variant="default" onClick={() => void setPaused(!schedule.paused)}>
          {schedule.paused ? text.resume : text.pause}
        </Button>
        <Button variant="subtle" color="red" onClick={() => void takeAway()}>
          {text.remove}
        </Button>
        {jobId === undefined ? null : (
          <Anchor component={Link} href={paths.job(jobId)} size="sm">
            {text.seeRun}
          </Anchor>
        )}
      </Group>
      <ScheduleForm
        schedule={schedule}
        onChanged={setIsChanged}
        onSave={async (wanted) => {
          await put(wanted);
          toastDone(text.saved, () => put(schedule));
        }}
      />
    </Stack>
  );
}

function useChanges({ id, name }: FunctionWithAll) {
  const client = useQueryClient();
  const lookAgain = async (): Promise<void> => {
    void client.invalidateQueries({ queryKey: keys.functions });
    await client.invalidateQueries({ queryKey: keys.function(name) });
  };
  return {
    async put(schedule: Schedule): Promise<void> {
      await call("putSchedule", { params: { id }, body: schedule });
      await lookAgain();
    },
    async remove(): Promise<void> {
      await call("deleteSchedule", { params: { id } });
      await lookAgain();
    },
  };
}
