import type { ExecutionStatus, Trigger } from "../../core/execution.ts";

// Stored, so a number never changes its meaning; a new word gets the next free one.
const STATUS_CODES: Readonly<Record<ExecutionStatus, number>> = {
  running: 0,
  success: 1,
  error: 2,
  timeout: 3,
  oom: 4,
  killed: 5,
  cancelled: 6,
};
const TRIGGER_CODES: Readonly<Record<Trigger, number>> = {
  http: 0,
  script: 1,
  invoke: 2,
  "run-now": 3,
  async: 4,
  cron: 5,
  mcp: 6,
};
const TRIGGERS_PER_STATUS = 16;
const STATUS_OF = new Map(Object.entries(STATUS_CODES).map(([status, code]) => [code, status as ExecutionStatus]));
const TRIGGER_OF = new Map(Object.entries(TRIGGER_CODES).map(([trigger, code]) => [code, trigger as Trigger]));

/** One number for how an execution ended and what asked for it: the two together need one column and one place in an index. */
export function outcomeCode(status: ExecutionStatus, trigger: Trigger): number {
  return STATUS_CODES[status] * TRIGGERS_PER_STATUS + TRIGGER_CODES[trigger];
}

export function statusOf(outcome: number): ExecutionStatus {
  return STATUS_OF.get(Math.floor(outcome / TRIGGERS_PER_STATUS)) ?? "error";
}

export function triggerOf(outcome: number): Trigger {
  return TRIGGER_OF.get(outcome % TRIGGERS_PER_STATUS) ?? "script";
}

/** Every outcome that has this status and this trigger; undefined stands for any. */
export function outcomesOf(status: ExecutionStatus | undefined, trigger: Trigger | undefined): number[] {
  const statuses = status === undefined ? [...STATUS_OF.values()] : [status];
  const triggers = trigger === undefined ? [...TRIGGER_OF.values()] : [trigger];
  return statuses.flatMap((status) => triggers.map((trigger) => outcomeCode(status, trigger)));
}
