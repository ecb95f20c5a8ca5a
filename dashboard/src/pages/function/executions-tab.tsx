import type { FunctionWithAll } from "../../api/schema.ts";
import { FunctionExecutions } from "../executions/function-executions.tsx";

export default function ExecutionsTab({ stored }: { stored: FunctionWithAll }) {
  return <FunctionExecutions functionId={stored.id} name={stored.name} />;
}
