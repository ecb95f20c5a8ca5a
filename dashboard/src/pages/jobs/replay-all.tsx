import { Button, Group, Modal, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { jobMessages } from "../../messages/jobs.ts";

export interface ReplayAllProps {
  readonly status: "dead" | "cancelled";
  /** Undefined: those of all functions. */
  readonly functionName: string | undefined;
  readonly onClose: () => void;
}

/** It may be thousands of runs, so it asks first. */
export function ReplayAll({ status, functionName, onClose }: ReplayAllProps) {
  const text = jobMessages.use();
  const client = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: () => call("replayJobs", { body: { status, functionId: functionName } }),
    onSuccess({ replayed }) {
      toastDone(text.replayedAll(replayed));
      onClose();
    },
    onError: toastFault,
    onSettled: () => client.invalidateQueries({ queryKey: keys.jobs }),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={text.replayAllTitle(text[status])}
      centered
      closeButtonProps={{ "aria-label": text.close }}
    >
      <Text mb="lg">{functionName === undefined ? text.replayAllHint : text.replayAllOf(functionName)}</Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          {text.goBack}
        </Button>
        <Button loading={isPending} onClick={() => mutate()}>
          {text.replayAll}
        </Button>
      </Group>
    </Modal>
  );
}
