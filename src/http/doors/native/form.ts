// Bodies that are forms.
import type { IncomingMessage } from "node:http";
import { PlatformError } from "../../../core/errors.ts";

const FORM = /^(?:multipart\/form-data\s*;|application\/x-www-form-urlencoded\s*(?:;|$))/i;

export function isForm({ headers }: IncomingMessage): boolean {
  return FORM.test(headers["content-type"] ?? "");
}

/**
 * The fields of a body that `isForm` says is one.
 *
 * @throws PlatformError INVALID_REQUEST
 */
export async function parseForm({ headers }: IncomingMessage, body: Buffer): Promise<FormData> {
  try {
    // The parser of Node's own fetch: no dependency, and it holds the body as we do. Copies nothing but the parts.
    return await new Response(new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.length), {
      headers: { "content-type": headers["content-type"] ?? "" },
    }).formData();
  } catch (error) {
    throw new PlatformError("INVALID_REQUEST", "the body is not the form that its Content-Type says", { cause: error });
  }
}

/**
 * A field as text; undefined where there is none.
 *
 * @throws PlatformError INVALID_REQUEST where there are two
 */
export async function textField(form: FormData, name: string): Promise<string | undefined> {
  const [value, another] = form.getAll(name);
  if (another !== undefined) throw new PlatformError("INVALID_REQUEST", `${name}: is there twice`);
  return typeof value === "object" ? await value.text() : value;
}
