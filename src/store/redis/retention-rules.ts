const DAY_MS = 86_400_000;

/** A rule as it is stored: how many executions to keep and for how many days, "-" for any. As the scripts take it: a time instead. */
export function cutoffOf(rule: string, nowMs: number): string {
  const [count = "-", days = "-"] = rule.split(" ");
  return `${count} ${days === "-" ? "-" : nowMs - Number(days) * DAY_MS}`;
}
