// JSON whose integers keep their digits: those beyond 2^53 would be rounded by a plain parse and shown wrong.
type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;
const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => unknown };

/** As JSON.parse; a number that cannot be kept is an object that `showJson` writes as it came. */
export function parseExact(text: string): unknown {
  const keepDigits: Reviver = (_key, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "") && rawJSON
      ? rawJSON(context?.source ?? "")
      : value;
  return JSON.parse(text, keepDigits) as unknown;
}

/** For people: indented; a text as itself. */
export function showJson(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, undefined, 2) ?? "");
}

/** What is wrong with a JSON text, or undefined. */
export function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
