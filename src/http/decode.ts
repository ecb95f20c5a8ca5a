// What arrives as text and stands for something else: bodies in JSON, paths percent-encoded.
import { PlatformError } from "../core/errors.ts";
import { isDeeperThan, parseKeepingDigits } from "../core/json-text.ts";

/** Parsing megabytes of opening brackets would hold up everybody for half a second. */
const MAX_DEPTH = 2000;

/**
 * The value of a body; integers keep their digits.
 *
 * @param parse something quicker, for who does not need them all
 * @throws PlatformError INVALID_REQUEST
 */
export function parseJsonBody(text: string, parse: (text: string) => unknown = parseKeepingDigits): unknown {
  if (isDeeperThan(MAX_DEPTH, text)) {
    throw new PlatformError("INVALID_REQUEST", `the body is nested too deeply (max ${MAX_DEPTH} levels)`);
  }
  try {
    return parse(text);
  } catch (error) {
    throw new PlatformError("INVALID_REQUEST", `the body is not JSON: ${(error as Error).message}`);
  }
}

/** @throws PlatformError INVALID_REQUEST */
export function decodePath(encoded: string): string {
  if (!encoded.includes("%")) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new PlatformError("INVALID_REQUEST", "the path is not valid percent-encoding");
  }
}
