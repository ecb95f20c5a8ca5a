// JSON whose numbers keep their digits: a JavaScript number has fifteen of them, an id of another system may have twenty.

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;
const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };

/** The value. What is too long for a number comes out again as it went in when it is written by `pretty`. */
export function parseKeepingDigits(text: string): unknown {
  return parse(text, (_key, value, context) =>
    typeof value === "number" &&
    rawJSON !== undefined &&
    context?.source !== undefined &&
    String(value) !== context.source
      ? rawJSON(context.source)
      : value,
  );
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

/** JSON with line breaks; everything else as it is. */
export function prettyIfJson(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return pretty(parseKeepingDigits(text));
  } catch {
    return text;
  }
}
