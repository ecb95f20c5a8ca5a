import { ExecutionList } from "../../components/executions/execution-list.tsx";

/** The Executions tab of a function. */
export function FunctionExecutions({ functionId }: { functionId: string; name: string }) {
  return <ExecutionList functionId={functionId} />;
}
