// When a schedule fires. The times of `@every` are multiples of its period since 1970, so that every node finds the same.
import { PlatformError } from "../core/errors.ts";
import type { Schedule } from "../core/function.ts";

type Times = Pick<Schedule, "cron" | "timeZone">;

/** The first fire after a moment, Unix milliseconds; undefined where there is none any more. */
export type NextFire = (afterMs: number) => number | undefined;

const MAX_PATTERN_CHARS = 200;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d+(?:ms|s|m|h|d))+$/;
const LEAST_PERIOD_MS = 1_000;
const MOST_PERIOD_MS = 366 * 86_400_000;

/**
 * A time of the clock that a change of daylight saving leaves out fires at the end of the gap, and one that comes twice fires once;
 * patterns that fire every so often (`*`, lists, steps) leave a gap out and fire in both of the hours that come twice.
 *
 * @throws PlatformError INVALID_REQUEST, naming the field
 */
export async function fireTimes(times: Times): Promise<NextFire> {
  const { timeZone } = times;
  const cron = times.cron.trim();
  if (cron === "" || cron.length > MAX_PATTERN_CHARS) throw invalid("cron", `1 to ${MAX_PATTERN_CHARS} characters`);
  checkTimeZone(timeZone);
  if (cron.startsWith("@every")) return every(cron);
  const { Cron } = await import("croner"); // a server without schedules does without it
  let pattern: InstanceType<typeof Cron>;
  try {
    pattern = new Cron(cron, { timezone: timeZone, mode: "5-part", paused: true });
  } catch (error) {
    throw invalid("cron", (error as Error).message.replace(/^CronPattern: /, ""));
  }
  return (afterMs) => pattern.nextRun(new Date(afterMs))?.getTime();
}

/** The next `count` fires after a moment; fewer where it ends before. */
export function nextFires(next: NextFire, afterMs: number, count: number): number[] {
  const fires: number[] = [];
  for (let at = next(afterMs); at !== undefined && fires.length < count; at = next(at)) fires.push(at);
  return fires;
}

function every(cron: string): NextFire {
  const text = cron.slice("@every".length).trim();
  const parts = DURATION.test(text) ? [...text.matchAll(/(\d+)(ms|[smhd])/g)] : [];
  const periodMs = parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (UNITS_MS[unit] ?? NaN), 0);
  if (!(periodMs >= LEAST_PERIOD_MS && periodMs <= MOST_PERIOD_MS)) {
    throw invalid("cron", "@every needs a duration from 1s to 366d, such as 90s or 1h30m");
  }
  return (afterMs) => (Math.floor(afterMs / periodMs) + 1) * periodMs;
}

function checkTimeZone(timeZone: string): void {
  try {
    // Offsets such as "+01:00" are taken, too, but know no daylight saving: nobody means that.
    if (/^[A-Za-z]/.test(timeZone)) new Intl.DateTimeFormat("en", { timeZone }).format(0);
    else throw new RangeError("no name");
  } catch {
    throw invalid("timeZone", `${JSON.stringify(timeZone)} is no IANA time zone, such as "Europe/Berlin" or "UTC"`);
  }
}

function invalid(field: string, why: string): PlatformError {
  const message = `schedule.${field}: ${why}`;
  return new PlatformError("INVALID_REQUEST", message, { details: [{ field: `schedule.${field}`, message: why }] });
}
