// The form of an upload.
import type { IncomingMessage } from "node:http";
import { PlatformError } from "../../../core/errors.ts";
import type { ArtifactMode } from "../../../core/program.ts";
import type { NativeUploadForm } from "../../../services/native-functions.ts";
import { MAX_FILE_BYTES } from "../../../services/uploaded-program.ts";
import { readBytes } from "../../body.ts";
import { isForm, parseForm, textField } from "./form.ts";

/** The other fields, and what stands between the parts. */
const BESIDE_FILE_BYTES = 64 * 1024;
const FIELDS: ReadonlySet<string> = new Set(["file", "name", "version", "description", "mode"]);

/** @throws PlatformError INVALID_REQUEST, BODY_TOO_LARGE */
export async function readUpload(message: IncomingMessage, createdBy: string | undefined): Promise<NativeUploadForm> {
  if (!isForm(message)) throw fileRequired();
  const form = await parseForm(message, await readBytes(message, MAX_FILE_BYTES + BESIDE_FILE_BYTES, ""));
  const [file, another] = form.getAll("file");
  if (typeof file !== "object") throw fileRequired();
  if (another !== undefined) throw new PlatformError("INVALID_REQUEST", "file: is there twice");
  for (const name of form.keys()) {
    if (!FIELDS.has(name)) throw new PlatformError("INVALID_REQUEST", `${JSON.stringify(name)} is no field here`);
  }
  return {
    fileName: file.name,
    bytes: Buffer.from(await file.arrayBuffer()),
    name: given(await textField(form, "name")),
    label: given(await textField(form, "version")),
    description: (await textField(form, "description")) ?? "",
    mode: modeOf(await textField(form, "mode")),
    createdBy,
  };
}

/**
 * @param text `""` is nothing: a form sends its empty fields, too
 * @throws PlatformError INVALID_REQUEST
 */
export function modeOf(text: string | undefined): ArtifactMode | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "native" || text === "wasm") return text;
  throw new PlatformError("INVALID_REQUEST", `mode: "native" or "wasm", not ${JSON.stringify(text)}`);
}

function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function fileRequired(): PlatformError {
  return new PlatformError("INVALID_REQUEST", "file required");
}
