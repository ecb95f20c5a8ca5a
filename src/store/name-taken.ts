import { PlatformError } from "../core/errors.ts";

export function nameTaken(name: string): PlatformError {
  return new PlatformError("NAME_TAKEN", `there is a function named ${JSON.stringify(name)} already`);
}
