import { Text } from "@mantine/core";
import type { ExecutionWithAll } from "../../api/schema.ts";
import { CodeBlock } from "../../components/executions/code-block.tsx";
import { FaultBox } from "../../components/executions/fault-box.tsx";
import { executionMessages } from "../../messages/executions.ts";
import classes from "./execution-page.module.css";

/** Why it failed: the message, what helps, the line of the code, and where it came from. */
export function ExecutionFault({ execution }: { execution: ExecutionWithAll }) {
  const text = executionMessages.use();
  const { error = "", errorLine, errorTip, codeFrame } = execution;
  const [first = "", ...stack] = error.trimEnd().split("\n");
  return (
    <FaultBox title={text.whatWentWrong}>
      <Text size="sm" fw={550}>
        {first}
        {errorLine === undefined ? "" : ` (${text.line(errorLine)})`}
      </Text>
      {errorTip === undefined ? null : (
        <Text size="sm">
          <b>{text.tip}:</b> {errorTip}
        </Text>
      )}
      {codeFrame === undefined ? null : (
        <CodeBlock text={codeFrame} label={errorLine === undefined ? text.source : text.line(errorLine)}>
          {codeFrame.split("\n").map((line, at) => (
            <span key={at} className={classes.frameLine} data-wrong={line.startsWith(">")}>
              {line === "" ? " " : line}
            </span>
          ))}
        </CodeBlock>
      )}
      {stack.length === 0 ? null : (
        <details>
          <summary>{text.stack}</summary>
          <CodeBlock text={stack.join("\n")} label={text.stack} />
        </details>
      )}
    </FaultBox>
  );
}
