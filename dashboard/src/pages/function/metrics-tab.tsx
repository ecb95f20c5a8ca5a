import type { FunctionWithAll } from "../../api/schema.ts";
import { FunctionMetrics } from "../executions/function-metrics.tsx";

export default function MetricsTab({ stored }: { stored: FunctionWithAll }) {
  return <FunctionMetrics functionId={stored.id} />;
}
