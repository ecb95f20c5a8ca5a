// JSON as text: what passes through the server keeps its digits, which a JavaScript number would lose beyond 2^53.

/** True when `text` is one JSON value. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const MANY_DIGITS = /\d{16}/;

/** `JSON.rawJSON` and the reviver's third parameter: ECMAScript's "JSON.parse source text access", not in the type library yet. */
interface JsonSource {
  rawJSON(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
}
const jsonSource = JSON as unknown as JsonSource;

/**
 * `JSON.parse`, but integers that a number cannot hold come out so that `JSON.stringify` writes their digits again.
 *
 * @throws SyntaxError
 */
export function parseKeepingDigits(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  return jsonSource.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
      ? jsonSource.rawJSON(source)
      : value,
  );
}
