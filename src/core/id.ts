import { createHash, randomUUIDv7 } from "node:crypto";

/** A UUIDv7: unique, and in the order of time but for ids of the same millisecond. */
export function newId(): string {
  return randomUUIDv7();
}

/** SHA-256 of the parts, hexadecimal. Each part's length counts, so that moving text between parts changes the hash. */
export function contentHash(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
