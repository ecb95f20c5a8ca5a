// What must not be read in logs and stored events: the values of secrets, and what opens doors elsewhere.

const MASK = "***";
/** A shorter secret would mask half of every text. */
const LEAST_SECRET_CHARS = 4;
const TELLING_PART = "api[-_]?key|secret|token|password|passwd|credential|signature|session";
const TELLING_NAME = new RegExp(
  `^(?:authorization|proxy-authorization|cookie|set-cookie|.*(?:${TELLING_PART}).*)$`,
  "i",
);

/** A part of every telling name, or of one that is escaped. */
const TELLING = new RegExp(`authorization|cookie|${TELLING_PART}|[\\\\%]`, "i");

/**
 * False for a text in which no name can tell of a secret: it is kept as it came, to the last digit, and need not be parsed. Escapes
 * (`\u0073ecret`, `%73ecret`) may hide a name, so they count.
 */
export function mayTell(text: string): boolean {
  return TELLING.test(text);
}

/** Replaces every occurrence of the secrets in a text. */
export type Mask = (text: string) => string;

export function maskOf(secrets: readonly string[]): Mask | undefined {
  const hidden = secrets
    .filter((secret) => secret.length >= LEAST_SECRET_CHARS)
    .toSorted((a, b) => b.length - a.length);
  if (hidden.length === 0) return undefined;
  return (text) => {
    let masked = text;
    for (const secret of hidden) if (masked.includes(secret)) masked = masked.replaceAll(secret, MASK);
    return masked;
  };
}

/** A header's, parameter's or field's value, hidden where its name says that it is a secret. */
export function maskedByName(name: string, value: string): string {
  return TELLING_NAME.test(name) ? MASK : value;
}

/** The same in JSON values, at any depth. */
export function maskedFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskedFields);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      TELLING_NAME.test(name) && (typeof field === "string" || typeof field === "number") ? MASK : maskedFields(field),
    ]),
  );
}
