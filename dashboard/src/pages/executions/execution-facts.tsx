import type { ReactNode } from "react";
import { Link } from "wouter";
import type { ExecutionWithAll } from "../../api/schema.ts";
import { CopyButton } from "../../components/copy-button.tsx";
import { LanguageMark } from "../../components/language-mark.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useFormat } from "../../i18n/format.ts";
import { executionMessages } from "../../messages/executions.ts";
import { paths } from "../../router.ts";
import classes from "./execution-page.module.css";

/** The line of what is known of an execution. */
export function ExecutionFacts({ execution }: { execution: ExecutionWithAll }) {
  const text = executionMessages.use();
  const { id, functionName, trigger, version, language, httpStatus, queuedAt, cpuMs, peakMemoryBytes } = execution;
  const format = useFormat();
  return (
    <dl className={classes.facts}>
      {functionName === undefined ? null : (
        <Fact label={text.functionField}>
          <Link href={paths.function(functionName)}>{functionName}</Link>
        </Fact>
      )}
      {version === undefined ? null : <Fact label={text.version}>{version}</Fact>}
      <Fact label={text.language}>
        <LanguageMark language={language} withName />
      </Fact>
      <Fact label={text.trigger}>{text[trigger]}</Fact>
      {httpStatus === undefined ? null : <Fact label={text.httpStatus}>{httpStatus}</Fact>}
      <Fact label={text.queuedAt}>
        <TimeAgo time={queuedAt} />
      </Fact>
      {cpuMs === undefined ? null : <Fact label={text.cpu}>{format.duration(cpuMs)}</Fact>}
      {peakMemoryBytes === undefined ? null : <Fact label={text.memory}>{format.bytes(peakMemoryBytes)}</Fact>}
      <Fact label={text.id}>
        <span className={classes.id}>{id}</span>
        <CopyButton value={id} label={text.copyId} />
      </Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
