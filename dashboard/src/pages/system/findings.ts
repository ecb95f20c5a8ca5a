// What an operator would want to know before somebody else tells them.
import type { System } from "../../api/system.ts";
import { languageName } from "../../components/language-mark.tsx";
import type { systemMessages } from "../../messages/system.ts";

export interface Finding {
  readonly severity: "bad" | "warn";
  readonly what: string;
  readonly why: string;
}

export function findingsOf(system: System, text: ReturnType<typeof systemMessages.use>): Finding[] {
  const { sandbox, runtimes, builders, history, pool, storeError } = system;
  const findings: Finding[] = [];
  for (const { name, inForce, detail } of sandbox.features) {
    if (!inForce) findings.push({ severity: "bad", what: text.notInForce(name), why: detail });
    else if (/\bsoft\b|watchdog/i.test(detail))
      findings.push({ severity: "warn", what: text.softLimit(name), why: detail });
  }
  for (const { found, languages, reason = "" } of runtimes) {
    if (!found) findings.push({ severity: "warn", what: text.runtimeMissing(languages.join(", ")), why: reason });
  }
  for (const { found, language, reason = "" } of builders) {
    if (!found) findings.push({ severity: "warn", what: text.builderMissing(languageName(language)), why: reason });
  }
  if (storeError !== undefined) findings.push({ severity: "bad", what: text.storeFault, why: storeError });
  if (history.lostExecutions > 0) {
    findings.push({ severity: "bad", what: text.lostRecords(history.lostExecutions), why: "" });
  }
  const isFull = pool.workers.length >= pool.maxWorkers && pool.workers.every(({ state }) => state === "busy");
  if (isFull && pool.waiting > 0) findings.push({ severity: "warn", what: text.noRoom, why: "" });
  return findings;
}
