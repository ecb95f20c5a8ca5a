import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { call } from "../../../api/client.ts";
import type { FunctionWithAll, Schedule } from "../../../api/schema.ts";
import { FaultNotice } from "../../../components/fault-notice.tsx";
import { useFormat } from "../../../i18n/format.ts";
import { useLanguage } from "../../../i18n/language.ts";
import { scheduleMessages } from "../../../messages/schedule.ts";
import { cronWords } from "./cron-words.ts";
import classes from "./schedule.module.css";

const LOOK_MS = 10_000;

export interface NextFiresProps {
  readonly stored: FunctionWithAll;
  readonly schedule: Schedule;
  /** True while the form says something else than what is set. */
  readonly isChanged: boolean;
}

/** What is set in plain words, and its next runs in its own zone. */
export function NextFires({ stored, schedule, isChanged }: NextFiresProps) {
  const text = scheduleMessages.use();
  const language = useLanguage();
  const format = useFormat();
  const { data, error } = useQuery({
    queryKey: ["fires", stored.id, stored.updatedAt],
    queryFn: ({ signal }) => call("nextFires", { params: { id: stored.id } }, { signal }),
    refetchInterval: LOOK_MS,
  });
  const { timeZone, cron, paused } = schedule;
  const shown = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en", {
    ...{ timeZone, weekday: "short", year: "numeric", month: "short", day: "numeric" },
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  });
  return (
    <div>
      <Text fw={600}>{cronWords(cron, text, language) ?? cron}</Text>
      <Text size="sm" c="dimmed" mb="xs">
        {isChanged ? text.saveToSee : paused ? text.pausedHint : text.nextIn(timeZone)}
      </Text>
      {error !== null && data === undefined ? (
        <FaultNotice error={error} />
      ) : paused ? null : data?.fires.length === 0 ? (
        <Text size="sm">{text.noNext}</Text>
      ) : (
        <ol className={classes.fires} aria-label={text.next}>
          {data?.fires.map(({ at }) => (
            <li key={at}>
              <time dateTime={at} title={text.here(format.time(at))}>
                {shown.format(new Date(at))}
              </time>
              <span className={classes.soon}>{format.ago(at)}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
