// Files of /proc and folders that may go while we look at them.
import { readdirSync, readFileSync } from "node:fs";

/** Empty where it is not there. */
export function readQuietly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Empty where it is not there. */
export function listQuietly(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
