import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "../../api/client.ts";
import { keys, useMay } from "../../api/queries.ts";
import type { JobWithAll } from "../../api/schema.ts";
import { IconRetry } from "../../components/icons.ts";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { jobMessages } from "../../messages/jobs.ts";

/** Ends a job that waits or runs; runs one again that died or was cancelled. */
export function JobActions({ job: { id, status } }: { job: JobWithAll }) {
  const text = jobMessages.use();
  const client = useQueryClient();
  const mayDeploy = useMay("deploy");
  const params = { id };
  const lookAgain = (): Promise<void> => client.invalidateQueries({ queryKey: keys.jobs });
  async function undoCancel(): Promise<void> {
    await call("replayJob", { params });
    await lookAgain();
  }
  const cancel = useMutation({
    mutationFn: () => call("cancelJob", { params }),
    onSuccess: () => toastDone(text.wasCancelled, undoCancel),
    onError: toastFault,
    onSettled: lookAgain,
  });
  const replay = useMutation({
    mutationFn: () => call("replayJob", { params }),
    onSuccess: () => toastDone(text.wasReplayed),
    onError: toastFault,
    onSettled: lookAgain,
  });
  if (!mayDeploy || status === "completed") return null;
  return status === "queued" || status === "running" ? (
    <Button color="red" variant="light" loading={cancel.isPending} onClick={() => cancel.mutate()}>
      {text.cancel}
    </Button>
  ) : (
    <Button leftSection={<IconRetry size={16} />} loading={replay.isPending} onClick={() => replay.mutate()}>
      {text.replay}
    </Button>
  );
}
