import type { JobAttempt } from "./queue.ts";

/** JSON drops what is undefined, and the fields are there all the same. */
export function parseHistory(text: string): JobAttempt[] {
  return (JSON.parse(text) as Partial<JobAttempt>[]).map(
    ({ number = 0, executionId = "", startedAtMs = 0, endedAtMs, error }) => {
      return { number, executionId, startedAtMs, endedAtMs, error };
    },
  );
}

/** With the end of its last attempt, where that has none yet. */
export function withEnd(history: readonly JobAttempt[], endedAtMs: number, error: string | undefined): JobAttempt[] {
  const last = history.at(-1);
  if (last === undefined || last.endedAtMs !== undefined) return [...history];
  return [...history.slice(0, -1), { ...last, endedAtMs, error }];
}
