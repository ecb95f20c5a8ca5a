// What an upload may be, before a box is started for it.
import { PlatformError } from "../../core/errors.ts";
import type { BuildRequest } from "../build.ts";
import type { BuildLimits } from "./failure.ts";

const MAX_PATH_BYTES = 1024;
const MAX_NAME_BYTES = 255; // of every file system of Linux

/** @throws PlatformError BUILD_FAILED, saying which file and which limit */
export function checkFiles({ files, folder, targets }: BuildRequest, limits: BuildLimits): void {
  const paths = Object.keys(files);
  if (targets.length === 0) throw failed("there is nothing to build: no target was named");
  if (paths.length === 0) throw failed("there is nothing to build: no file was uploaded");
  if (paths.length > limits.files) throw failed(`${paths.length} files were uploaded; ${limits.files} are allowed`);
  const bytes = Object.values(files).reduce((sum, content) => sum + content.length, 0);
  if (bytes > limits.sourceBytes) {
    throw failed(`the uploaded files have ${bytes} bytes together; ${limits.sourceBytes} are allowed`);
  }
  for (const path of paths) {
    const why = whyNoPath(path);
    if (why !== undefined) throw failed(`the path ${JSON.stringify(path)} ${why}`);
  }
  if (folder !== "" && whyNoPath(folder) !== undefined) {
    throw failed(`the folder ${JSON.stringify(folder)} ${whyNoPath(folder)}`);
  }
  const both = folderThatIsFile(paths);
  if (both !== undefined) throw failed(`${JSON.stringify(both)} is a file and a folder at once`);
}

function whyNoPath(path: string): string | undefined {
  if (path.startsWith("/")) return "is absolute";
  if (/[\0-\x1f\x7f\\]/.test(path)) return "has a control character or a backslash"; // eslint-disable-line no-control-regex -- they are what is looked for
  if (!path.isWellFormed()) return "is no text";
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  const names = path.split("/");
  if (names.some((name) => name === "" || name === "." || name === "..")) return 'has an empty part, "." or ".."';
  return names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)
    ? `has a name longer than ${MAX_NAME_BYTES} bytes`
    : undefined;
}

function folderThatIsFile(paths: readonly string[]): string | undefined {
  const files = new Set(paths);
  const seen = new Set<string>();
  for (const path of paths) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (seen.has(folder)) break;
      seen.add(folder);
      if (files.has(folder)) return folder;
    }
  }
  return undefined;
}

function failed(message: string): PlatformError {
  return new PlatformError("BUILD_FAILED", message, { details: { output: message } });
}
