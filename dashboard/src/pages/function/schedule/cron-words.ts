// A schedule in plain words, where it is one that words are shorter than. Whether it is a good one, and when it fires, only the
// server knows: nothing here computes a time.
import type { en } from "../../../messages/schedule.en.ts";

type Text = typeof en;

/** One of the five parts of a pattern. `every` with a step of 1 is `*`. */
type Part =
  | { readonly kind: "every"; readonly step: number }
  | { readonly kind: "list"; readonly items: readonly (readonly [from: number, to: number])[] }
  | { readonly kind: "last" };

const NICKNAMES: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DURATION = /^@every\s+((?:\d+(?:s|m|h|d))+)$/;
const MAX_NAMED_TIMES = 6; // a longer list says less than the pattern

/**
 * @param locale of names of days and months, and of lists
 * @returns undefined where the pattern is wrong, or better read as it is
 */
export function cronWords(cron: string, text: Text, locale: string): string | undefined {
  const trimmed = cron.trim();
  const duration = DURATION.exec(trimmed)?.[1];
  if (duration !== undefined) return capital(text.everyDuration(durationWords(duration, text, locale)));
  const fields = (NICKNAMES[trimmed.toLowerCase()] ?? trimmed).split(/\s+/);
  if (fields.length !== 5) return undefined;
  const [minuteField = "", hourField = "", dayField = "", monthField = "", weekdayField = ""] = fields;
  const minute = partOf(minuteField, 0, 59);
  const hour = partOf(hourField, 0, 23);
  const day = dayField.toUpperCase() === "L" ? ({ kind: "last" } as const) : partOf(dayField, 1, 31);
  const month = partOf(monthField, 1, 12, MONTHS, 1);
  const weekday = partOf(weekdayField, 0, 7, WEEKDAYS, 0);
  if (!minute || !hour || !day || !month || !weekday) return undefined;
  const list = (items: readonly string[]): string => new Intl.ListFormat(locale, { type: "conjunction" }).format(items);

  const time = timeWords(minute, hour, text, list);
  if (time === undefined) return undefined;
  const isFixed = minute.kind === "list" && hour.kind === "list" && hour.items.every(([from, to]) => from === to);
  const days = dayWords(day, weekday, { text, list, locale });
  return capital(
    text.sentence(time, days === "" && isFixed ? text.everyDay : days, monthWords(month, text, list, locale)),
  );
}

function timeWords(
  minute: Exclude<Part, { kind: "last" }>,
  hour: Exclude<Part, { kind: "last" }>,
  text: Text,
  list: (items: readonly string[]) => string,
): string | undefined {
  if (minute.kind === "list" && hour.kind === "list") {
    const minutes = numbersOf(minute);
    const times = numbersOf(hour).flatMap((h) => minutes.map((m) => clock(h, m)));
    if (times.length <= MAX_NAMED_TIMES) return text.at(list(times));
  }
  const minutes = minute.kind === "list" ? list(numbersOf(minute).map(String)) : "";
  if (hour.kind === "every" && hour.step > 1) {
    return minute.kind === "list" ? text.everyHours(String(hour.step), minutes) : undefined;
  }
  const what =
    minute.kind === "every"
      ? minute.step === 1
        ? text.everyMinute
        : text.everyMinutes(String(minute.step))
      : minutes === "0"
        ? text.everyHour
        : text.everyHourAt(minutes);
  if (hour.kind === "every") return what;
  const [only, ...others] = hour.items;
  if (only !== undefined && others.length === 0 && only[0] < only[1]) {
    return text.within(what, clock(only[0], 0), clock(only[1], lastMinute(minute)));
  }
  return text.during(what, list(numbersOf(hour).map(String)));
}

function dayWords(
  day: Part,
  weekday: Part,
  { text, list, locale }: { text: Text; list: (items: readonly string[]) => string; locale: string },
): string {
  const ofMonth =
    day.kind === "last"
      ? text.lastDay
      : day.kind === "list"
        ? text.daysOfMonth(list(day.items.map((item) => rangeWords(item, String, text))))
        : day.step > 1
          ? text.everyDays(String(day.step))
          : "";
  const name = (number: number): string =>
    new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(Date.UTC(2023, 0, 1 + number)); // a Sunday
  const ofWeek =
    weekday.kind === "list" ? text.on(list(weekday.items.map((item) => rangeWords(item, name, text)))) : "";
  return ofMonth !== "" && ofWeek !== "" ? text.eitherDay(ofMonth, ofWeek) : ofMonth + ofWeek;
}

function monthWords(month: Part, text: Text, list: (items: readonly string[]) => string, locale: string): string {
  if (month.kind !== "list")
    return month.kind === "every" && month.step > 1 ? text.everyMonths(String(month.step)) : "";
  const name = (number: number): string =>
    new Intl.DateTimeFormat(locale, { month: "long", timeZone: "UTC" }).format(Date.UTC(2023, number - 1, 1));
  return text.inMonths(list(month.items.map((item) => rangeWords(item, name, text))));
}

function rangeWords([from, to]: readonly [number, number], name: (value: number) => string, text: Text): string {
  return from === to ? name(from) : text.range(name(from), name(to));
}

function partOf(
  field: string,
  least: number,
  most: number,
  names: readonly string[] = [],
  firstName = 0,
): Exclude<Part, { kind: "last" }> | undefined {
  const step = /^\*(?:\/(\d+))?$/.exec(field);
  if (step !== null) {
    const every = Number(step[1] ?? 1);
    return every >= 1 && every <= most ? { kind: "every", step: every } : undefined;
  }
  const valueOf = (word: string): number | undefined => {
    const named = names.indexOf(word.toUpperCase());
    if (named >= 0) return named + firstName;
    const value = /^\d+$/.test(word) ? Number(word) : NaN;
    return value >= least && value <= most ? value : undefined;
  };
  const items: [number, number][] = [];
  for (const item of field.split(",")) {
    const ends = item.split("-");
    const from = valueOf(ends[0] ?? "");
    const to = valueOf(ends[1] ?? ends[0] ?? "");
    if (ends.length > 2 || from === undefined || to === undefined || from > to) return undefined;
    items.push([from, to]);
  }
  return { kind: "list", items };
}

function numbersOf({ items }: Extract<Part, { kind: "list" }>): number[] {
  return items.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_item, index) => from + index));
}

function lastMinute(minute: Exclude<Part, { kind: "last" }>): number {
  if (minute.kind === "list") return Math.max(...numbersOf(minute));
  return Math.floor(59 / minute.step) * minute.step;
}

function durationWords(duration: string, text: Text, locale: string): string {
  const units = { d: text.days, h: text.hours, m: text.minutes, s: text.seconds } as const;
  const parts = [...duration.matchAll(/(\d+)([dhms])/g)].map(([, number, unit]) =>
    units[unit as keyof typeof units](Number(number)),
  );
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(parts);
}

function clock(hour: number, minute: number): string {
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}
