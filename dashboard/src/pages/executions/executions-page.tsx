import { ExecutionList } from "../../components/executions/execution-list.tsx";
import { Page } from "../../components/page.tsx";
import { executionMessages } from "../../messages/executions.ts";

/** What ran, of all functions and of none. */
export default function ExecutionsPage() {
  const text = executionMessages.use();
  return (
    <Page title={text.title} description={text.description}>
      <ExecutionList />
    </Page>
  );
}
