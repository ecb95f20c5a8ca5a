// What a task is, and what of a client's JSON becomes one.

export interface Task {
  readonly id: string;
  readonly title: string;
  readonly isDone: boolean;
}

export type NewTask = Omit<Task, "id">;

/** What is wrong with the JSON, all of it at once: `field: reason`. */
export class Invalid extends Error {
  readonly reasons: readonly string[];
  constructor(reasons: readonly string[]) {
    super(reasons.join("; "));
    this.reasons = reasons;
  }
}

const LONGEST_TITLE = 200;

/** Field -> why a value cannot be its, or undefined where it can. */
const CHECKS: Readonly<Record<keyof NewTask, (value: unknown) => string | undefined>> = {
  title: (value) =>
    typeof value === "string" && value.trim() !== "" && value.length <= LONGEST_TITLE
      ? undefined
      : `a text of 1 to ${LONGEST_TITLE} characters is required`,
  isDone: (value) => (typeof value === "boolean" ? undefined : "true or false is required"),
};

export function parseNew(value: unknown): NewTask {
  const { title = "", isDone = false } = parseChanges({ title: undefined, ...asObject(value) });
  return { title, isDone };
}

export function parseChanges(value: unknown): Partial<NewTask> {
  const reasons = Object.entries(asObject(value)).flatMap(([field, given]) => {
    const reason = Object.hasOwn(CHECKS, field) ? CHECKS[field as keyof NewTask](given) : "there is no such field";
    return reason === undefined ? [] : [`${field}: ${reason}`];
  });
  if (reasons.length > 0) throw new Invalid(reasons);
  return value as Partial<NewTask>; // every field was checked
}

function asObject(value: unknown): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Invalid(["the body is not a JSON object"]);
}
