import { ActionIcon, Menu, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import { deleteFunction, setDisabled } from "../../api/function-actions.ts";
import { useMay } from "../../api/queries.ts";
import type { Execution, FunctionSummary } from "../../api/schema.ts";
import { IconCopy, IconDots, IconHistory, IconPause, IconPlay, IconTrash } from "../../components/icons.ts";
import { LanguageMark } from "../../components/language-mark.tsx";
import { SparkLine } from "../../components/spark-line.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { functionsMessages } from "../../messages/functions.ts";
import { paths } from "../../router.ts";
import { useCalls } from "./activity.ts";
import { stateOf } from "./arrange.ts";
import classes from "./functions-list.module.css";

export interface FunctionRowProps {
  readonly one: FunctionSummary;
  readonly failure: Execution | undefined;
}

export function FunctionRow({ one, failure }: FunctionRowProps) {
  const text = functionsMessages.use();
  const { id, name, language, description, updatedAt } = one;
  const calls = useCalls(id);
  const state = stateOf(one, failure);
  const sum = calls?.calls.reduce((all, count) => all + count, 0);
  return (
    <div className={classes.row} data-state={state}>
      <div className={classes.mark}>{language === undefined ? null : <LanguageMark language={language} />}</div>
      <div className={classes.name}>
        {/* The link covers the row; what can be clicked besides lies above it. */}
        <Link href={paths.function(name)} className={classes.link}>
          {name}
        </Link>
        <Text size="sm" c="dimmed" truncate>
          {description === "" ? text.updated : `${description} · `}
          <TimeAgo time={updatedAt} />
        </Text>
      </div>
      <div className={classes.state} data-state={state}>
        {text[state]}
      </div>
      <div className={classes.calls}>
        {calls === undefined || sum === undefined ? null : (
          <>
            <SparkLine values={calls.calls} bad={calls.errors} label={text.callsInHour(sum)} height={24} />
            <span aria-hidden="true">{sum}</span>
          </>
        )}
      </div>
      <div className={classes.failure}>
        {failure === undefined ? (
          <Text size="sm" c="dimmed" component="span">
            {text.noFailure}
          </Text>
        ) : (
          <Link href={paths.execution(failure.id)} className={classes.error}>
            <TimeAgo time={failure.queuedAt} />
            <span>
              {failure.error ?? (failure.httpStatus === undefined ? "" : text.answeredStatus(failure.httpStatus))}
            </span>
          </Link>
        )}
      </div>
      <RowMenu one={one} />
    </div>
  );
}

function RowMenu({ one }: { one: FunctionSummary }) {
  const text = functionsMessages.use();
  const client = useQueryClient();
  const mayDeploy = useMay("deploy");
  const { name, url, disabled } = one;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" className={classes.menu} aria-label={text.actionsOf(name)}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconCopy size={14} />}
          onClick={() => {
            navigator.clipboard.writeText(url).then(() => toastDone(text.urlCopied(url)), toastFault);
          }}
        >
          {text.copyUrl}
        </Menu.Item>
        <Menu.Item
          component={Link}
          href={`${paths.executions}?function=${encodeURIComponent(name)}`}
          leftSection={<IconHistory size={14} />}
        >
          {text.itsExecutions}
        </Menu.Item>
        {mayDeploy ? (
          <>
            <Menu.Divider />
            <Menu.Item
              leftSection={disabled ? <IconPlay size={14} /> : <IconPause size={14} />}
              onClick={() => void setDisabled(client, one, !disabled)}
            >
              {disabled ? text.enable : text.disable}
            </Menu.Item>
            <Menu.Item color="red" leftSection={<IconTrash size={14} />} onClick={() => deleteFunction(client, one)}>
              {text.remove}
            </Menu.Item>
          </>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
