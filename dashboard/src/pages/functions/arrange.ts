// Which functions are shown, and in which order.
import type { Execution, FunctionSummary } from "../../api/schema.ts";
import { failsNow } from "./activity.ts";

export const SORTS = ["name", "updated", "created", "calls", "error"] as const;
export type Sort = (typeof SORTS)[number];

export const STATES = ["active", "failing", "disabled"] as const;
export type State = (typeof STATES)[number];

export interface Wanted {
  readonly search: string;
  /** "" for each of these: all. */
  readonly language: string;
  readonly state: State | "";
  readonly sort: Sort;
}

export function stateOf({ disabled }: FunctionSummary, failure: Execution | undefined): State {
  if (disabled) return "disabled";
  return failsNow(failure) ? "failing" : "active";
}

export function arrange(
  functions: readonly FunctionSummary[],
  { search, language, state, sort }: Wanted,
  failures: ReadonlyMap<string, Execution>,
  calls: ReadonlyMap<string, number> | undefined,
): FunctionSummary[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = functions.filter((one) => {
    if (language !== "" && one.language !== language) return false;
    // One that is failing is active, too.
    const own = stateOf(one, failures.get(one.id));
    if (state !== "" && own !== state && !(state === "active" && own === "failing")) return false;
    const text = `${one.name} ${one.description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return found.sort((one, other) => compare(sort, one, other, failures, calls) || byName(one, other));
}

function compare(
  sort: Sort,
  one: FunctionSummary,
  other: FunctionSummary,
  failures: ReadonlyMap<string, Execution>,
  calls: ReadonlyMap<string, number> | undefined,
): number {
  switch (sort) {
    case "name":
      return 0;
    case "updated":
      return later(one.updatedAt, other.updatedAt);
    case "created":
      return later(one.createdAt, other.createdAt);
    case "calls":
      return (calls?.get(other.id) ?? 0) - (calls?.get(one.id) ?? 0);
    case "error":
      return later(failures.get(one.id)?.queuedAt ?? "", failures.get(other.id)?.queuedAt ?? "");
  }
}

function later(one: string, other: string): number {
  return one === other ? 0 : one < other ? 1 : -1;
}

function byName(one: FunctionSummary, other: FunctionSummary): number {
  return one.name.localeCompare(other.name, "en");
}
