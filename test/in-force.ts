import { setTimeout as delay } from "node:timers/promises";

const STEP_MS = 4;
/** Asked once more so often, behind the first answer that shows it: none of these may be as before. */
const AFTERWARDS = 10;

/**
 * From when on, in milliseconds, whoever asks is answered according to a change. Asks without waiting for answers, so that what an answer
 * takes, as the first run of new code does, is not part of it.
 *
 * @param isShown asks once
 * @throws Error where no answer shows it within `limitMs`
 */
export async function inForceAfterMs(isShown: () => Promise<boolean>, limitMs: number): Promise<number> {
  const startedAtMs = performance.now();
  const asked: Promise<{ readonly atMs: number; readonly isNew: boolean }>[] = [];
  let isSeen = false;
  for (let left = AFTERWARDS; left > 0;) {
    const atMs = performance.now() - startedAtMs;
    if (!isSeen && atMs > limitMs) throw new Error(`not in force within ${limitMs} ms`);
    if (isSeen) left--;
    const answer = isShown().then((isNew) => {
      isSeen ||= isNew;
      return { atMs, isNew };
    });
    answer.catch(() => {}); // whoever awaits it below is told
    asked.push(answer);
    await delay(STEP_MS);
  }
  const answers = await Promise.all(asked);
  const lastOld = answers.findLastIndex(({ isNew }) => !isNew);
  return answers[lastOld + 1]?.atMs ?? Number.POSITIVE_INFINITY;
}
