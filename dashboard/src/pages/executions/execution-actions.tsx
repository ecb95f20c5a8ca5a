import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import { call } from "../../api/client.ts";
import { keys, useMay } from "../../api/queries.ts";
import type { ExecutionWithAll } from "../../api/schema.ts";
import { requestOf } from "../../components/executions/exchange.ts";
import { IconRetry } from "../../components/icons.ts";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { executionMessages } from "../../messages/executions.ts";
import { statusMessages } from "../../messages/status.ts";
import { paths } from "../../router.ts";

/** Ends it while it runs; afterwards runs it again, as it was or with changes. */
export function ExecutionActions({ execution }: { execution: ExecutionWithAll }) {
  const text = executionMessages.use();
  const statusText = statusMessages.use();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const mayInvoke = useMay("invoke");
  const { id, status, functionId, functionName, event } = execution;
  const params = { id };
  // A request is sent again, a value is what the code is run with.
  const tab = requestOf(event) === undefined ? "code" : "test";

  const cancel = useMutation({
    mutationFn: () => call("cancelExecution", { params }),
    onSuccess: () => {
      toastDone(text.cancelled);
      void client.invalidateQueries({ queryKey: keys.execution(id) });
    },
    onError: toastFault,
  });
  const replay = useMutation({
    mutationFn: () => call("replayExecution", { params }),
    onSuccess: (result) => {
      toastDone(text.replayed(statusText[result.status]));
      navigate(paths.execution(result.executionId));
    },
    onError: toastFault,
  });

  if (!mayInvoke) return null;
  if (status === "running")
    return (
      <Button color="red" variant="light" loading={cancel.isPending} onClick={() => cancel.mutate()}>
        {text.cancel}
      </Button>
    );
  if (functionId === undefined) return null; // its code was not kept
  return (
    <>
      {functionName === undefined || event === undefined ? null : (
        <Button
          component={Link}
          href={`${paths.function(functionName, tab)}?execution=${encodeURIComponent(id)}`}
          variant="default"
        >
          {text.withChanges}
        </Button>
      )}
      <Button
        leftSection={<IconRetry size={16} />}
        disabled={event === undefined}
        title={event === undefined ? text.notReplayable : undefined}
        loading={replay.isPending}
        onClick={() => replay.mutate()}
      >
        {text.replay}
      </Button>
    </>
  );
}
