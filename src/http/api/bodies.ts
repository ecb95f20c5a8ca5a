import { PlatformError } from "../../core/errors.ts";
import { unzip } from "../../services/archive.ts";
import { SOURCE_LIMITS } from "../../services/source-files.ts";
import { parseJsonBody } from "../decode.ts";
import type { Api } from "./management-api.ts";

/** Members that hold whatever the user likes. */
const FREE = new Set(["value", "input"]);

export const ZIP = "application/zip";

interface BodyRequest {
  readonly headers: { readonly "content-type"?: string | undefined };
  readonly query: unknown;
  readonly routeOptions: { readonly schema?: { readonly consumes?: readonly string[] } };
}

/** True for code as it is, which `curl -T FILE …?language=` sends without saying what it is. */
export function isPlainCode({ headers, query, routeOptions }: BodyRequest): boolean {
  const takesCode = routeOptions.schema?.consumes?.includes(ZIP) === true;
  return takesCode && headers["content-type"] === undefined && Object.hasOwn(Object(query) as object, "language");
}

/** A zip archive or plain code where code is expected; anything else is taken for JSON, whatever it is called: `curl -d` calls it a form. */
export function takeBodies(api: Api): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser("*", { parseAs: "string" }, async (request: BodyRequest, text: string | Buffer) =>
    isPlainCode(request) ? { code: String(text) } : parseBody(String(text)),
  );
  api.addContentTypeParser(
    [ZIP, "application/x-zip-compressed"],
    { parseAs: "buffer", bodyLimit: SOURCE_LIMITS.totalBytes },
    async ({ routeOptions }: BodyRequest, archive: string | Buffer) => {
      if (routeOptions.schema?.consumes?.includes(ZIP) !== true) {
        throw new PlatformError("INVALID_REQUEST", "a zip archive is not taken here");
      }
      return { files: await unzip(Buffer.from(archive)) };
    },
  );
}

/** @throws PlatformError INVALID_REQUEST */
function parseBody(text: string): object {
  if (text.trim() === "") return {};
  const value = parseJsonBody(text);
  if (value === null) return {}; // then every field that is required is missing
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new PlatformError("INVALID_REQUEST", "the body is not a JSON object");
  }
  refusePrototypes(value);
  return value;
}

/** A schema would drop such a name without a word. */
function refusePrototypes(value: object): void {
  for (const [name, member] of [["", value] as const, ...Object.entries(value)]) {
    if (FREE.has(name) || typeof member !== "object" || member === null) continue;
    if (Object.hasOwn(member, "__proto__")) throw new PlatformError("INVALID_REQUEST", '"__proto__" is no name here');
  }
}
