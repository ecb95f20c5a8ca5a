import type { KvChange } from "./store.ts";

/** What a key holds; the value is JSON text. */
export interface KvEntry {
  readonly value: string;
  readonly expiresAtMs: number | undefined;
}

/** What a change makes of a key: nothing, another entry, or none. */
export type KvStep =
  | { readonly kind: "leave" }
  | { readonly kind: "put"; readonly entry: KvEntry }
  | { readonly kind: "remove" }
  | { readonly kind: "not-a-number" };

const NUMERAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** `before` undefined: there is none. Adding to a number and swapping leave the time at which a key expires as it is. */
export function kvStep(change: KvChange, before: KvEntry | undefined): KvStep {
  switch (change.kind) {
    case "set":
      return { kind: "put", entry: { value: change.value, expiresAtMs: change.expiresAtMs } };
    case "delete":
      return { kind: before === undefined ? "leave" : "remove" };
    case "incr": {
      const sum = (before === undefined ? 0 : numberOf(before.value)) + change.by;
      if (!Number.isFinite(sum)) return { kind: "not-a-number" };
      return { kind: "put", entry: { value: JSON.stringify(sum), expiresAtMs: before?.expiresAtMs } };
    }
    case "cas":
      if (before?.value !== change.old) return { kind: "leave" };
      if (change.next === undefined) return { kind: before === undefined ? "leave" : "remove" };
      return { kind: "put", entry: { value: change.next, expiresAtMs: before?.expiresAtMs } };
  }
}

/** The number that JSON text is, or that the text in it is; NaN for anything else. */
function numberOf(json: string): number {
  const value: unknown = JSON.parse(json);
  if (typeof value === "number") return value;
  return typeof value === "string" && NUMERAL.test(value) ? Number(value) : Number.NaN;
}
