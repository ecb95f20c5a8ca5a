import type { Schedule } from "../../../api/schema.ts";
import type { scheduleMessages } from "../../../messages/schedule.ts";

type Text = ReturnType<typeof scheduleMessages.use>;

/** What most schedules are. The times are such that not all of them fall on the full hour at night. */
export const PRESETS = [
  ["@every 90s", "preset90Seconds"],
  ["* * * * *", "presetMinute"],
  ["*/5 * * * *", "preset5Minutes"],
  ["0 * * * *", "presetHour"],
  ["30 2 * * *", "presetDay"],
  ["0 9 * * MON-FRI", "presetWeekdays"],
  ["0 4 * * SUN", "presetWeek"],
  ["0 0 1 * *", "presetMonth"],
] as const satisfies readonly (readonly [cron: string, name: keyof Text])[];

/** What is offered to who has none yet: their own zone, and a time that is not soon. */
export function newSchedule(): Schedule {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return { cron: "30 2 * * *", timeZone, overlap: "forbid", missed: "skip", paused: false };
}
