import { ActionIcon, Menu, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { memo } from "react";
import { Link } from "wouter";
import { deleteFunction, setDisabled } from "../../api/function-actions.ts";
import { useMay } from "../../api/queries.ts";
import type { Execution, FunctionSummary } from "../../api/schema.ts";
import { copyText } from "../../components/copy-text.ts";
import { firstLine } from "../../components/executions/first-line.ts";
import { IconCopy, IconDots, IconHistory, IconPause, IconPlay, IconTrash } from "../../components/icons.ts";
import { LanguageMark } from "../../components/language-mark.tsx";
import { reachableUrl } from "../../components/reachable-url.ts";
import { SparkLine } from "../../components/spark-line.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { useFormat } from "../../i18n/format.ts";
import { functionsMessages } from "../../messages/functions.ts";
import { paths } from "../../router.ts";
import { useCalls } from "./activity.ts";
import { stateOf } from "./arrange.ts";
import classes from "./functions-list.module.css";

export interface FunctionRowProps {
  readonly one: FunctionSummary;
  readonly failure: Execution | undefined;
  /** True while somebody scrolls: a row that only passes by asks the server nothing. */
  readonly isPassing: boolean;
}

export const FunctionRow = memo(function FunctionRow({ one, failure, isPassing }: FunctionRowProps) {
  const text = functionsMessages.use();
  const { id, name, language, description, updatedAt } = one;
  const format = useFormat();
  const calls = useCalls(id, !isPassing);
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
        <span>{text[state]}</span>
      </div>
      <div className={classes.calls}>
        {calls === undefined || sum === undefined ? null : (
          <>
            <SparkLine values={calls.calls} bad={calls.errors} label={text.callsInHour(sum)} height={24} />
            <span aria-hidden="true" data-zero={sum === 0}>
              {format.number(sum)}
            </span>
          </>
        )}
      </div>
      <div className={classes.failure}>
        {failure === undefined ? (
          <Text size="sm" c="dimmed" component="span">
            <span aria-hidden="true">–</span>
            <span className="visually-hidden">{text.noFailure}</span>
          </Text>
        ) : (
          <Link href={paths.execution(failure.id)} className={classes.error}>
            <TimeAgo time={failure.queuedAt} />
            <span>
              {firstLine(failure.error) ??
                (failure.httpStatus === undefined ? "" : text.answeredStatus(failure.httpStatus))}
            </span>
          </Link>
        )}
      </div>
      <RowMenu one={one} />
    </div>
  );
});

function RowMenu({ one }: { one: FunctionSummary }) {
  const text = functionsMessages.use();
  const client = useQueryClient();
  const mayDeploy = useMay("deploy");
  const { name, disabled } = one;
  const url = reachableUrl(one.url);
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
            copyText(url).then(() => toastDone(text.urlCopied(url)), toastFault);
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
