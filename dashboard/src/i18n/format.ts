// Numbers, sizes and times, as the language writes them.
import { type Language, useLanguage } from "./language.ts";

const LOCALES: Readonly<Record<Language, string>> = { en: "en", zh: "zh-CN" };
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export interface Format {
  readonly number: (value: number, digits?: number) => string;
  /** 0.42 -> "42 %" */
  readonly percent: (share: number) => string;
  /** 0.8 -> "0.8 ms", 2400 -> "2.4 s", 200_000 -> "3 min" */
  readonly duration: (ms: number) => string;
  /** 10_000_000 -> "9.5 MiB" */
  readonly bytes: (bytes: number) => string;
  /** "3 minutes ago" */
  readonly ago: (time: string | number, nowMs?: number) => string;
  /** The whole of it, in the browser's time zone. */
  readonly time: (time: string | number) => string;
  /** "12:31:05" */
  readonly clock: (time: string | number) => string;
}

const formats = new Map<Language, Format>();

export function useFormat(): Format {
  return formatOf(useLanguage());
}

export function formatOf(language: Language): Format {
  let format = formats.get(language);
  if (format === undefined) formats.set(language, (format = makeFormat(LOCALES[language])));
  return format;
}

function makeFormat(locale: string): Format {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium", hourCycle: "h23" });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });

  const number = (value: number, digits = 0): string =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  return {
    number,
    percent: (share) => percent.format(share),
    duration(ms) {
      if (ms < 10) return `${number(ms, 1)} ms`;
      if (ms < SECOND_MS) return `${number(ms)} ms`;
      if (ms < MINUTE_MS) return `${number(ms / SECOND_MS, 1)} s`;
      if (ms < HOUR_MS) return `${number(ms / MINUTE_MS)} min`;
      if (ms < DAY_MS) return `${number(ms / HOUR_MS, 1)} h`;
      return `${number(ms / DAY_MS, 1)} d`;
    },
    bytes(bytes) {
      const units = ["B", "KiB", "MiB", "GiB"];
      const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(1024)));
      const value = bytes / 1024 ** power;
      return `${number(value, value < 10 && power > 0 ? 1 : 0)} ${units[power]}`;
    },
    ago(time, nowMs = Date.now()) {
      const sinceMs = new Date(time).getTime() - nowMs;
      const size = Math.abs(sinceMs);
      if (size < MINUTE_MS) return relative.format(Math.round(sinceMs / SECOND_MS), "second");
      if (size < HOUR_MS) return relative.format(Math.round(sinceMs / MINUTE_MS), "minute");
      if (size < DAY_MS) return relative.format(Math.round(sinceMs / HOUR_MS), "hour");
      return relative.format(Math.round(sinceMs / DAY_MS), "day");
    },
    time: (time) => full.format(new Date(time)),
    clock: (time) => clock.format(new Date(time)),
  };
}
