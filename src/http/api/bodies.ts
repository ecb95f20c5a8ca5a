import type { IncomingMessage } from "node:http";
import { PlatformError } from "../../core/errors.ts";
import { unzip } from "../../services/archive.ts";
import { SOURCE_LIMITS } from "../../services/source-files.ts";
import { parseJsonBody } from "../decode.ts";
import type { Api } from "./management-api.ts";

/** Members that hold whatever the user likes. */
const FREE = new Set(["value", "input"]);

export const ZIP = "application/zip";
export const BYTES = "application/octet-stream";

interface BodyRequest {
  readonly raw: IncomingMessage;
  readonly headers: { readonly "content-type"?: string | undefined };
  readonly query: unknown;
  readonly routeOptions: { readonly schema?: { readonly consumes?: readonly string[] } };
}

/** Programs that are no text, by the request that brought them: a schema of JSON has no place for bytes. */
const programs = new WeakMap<object, Buffer>();

/** The bytes of a program that came as it is; undefined where text came. */
export function programIn(message: IncomingMessage): Buffer | undefined {
  return programs.get(message);
}

/** True for code as it is, which `curl -T FILE …?language=` sends without saying what it is. */
export function isPlainCode({ headers, query, routeOptions }: BodyRequest): boolean {
  const takesCode = routeOptions.schema?.consumes?.includes(ZIP) === true;
  const type = headers["content-type"];
  return takesCode && (type === undefined || type === BYTES) && Object.hasOwn(Object(query) as object, "language");
}

/** A zip archive or plain code where code is expected; anything else is taken for JSON, whatever it is called: `curl -d` calls it a form. */
export function takeBodies(api: Api): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser("*", { parseAs: "buffer" }, async (request: BodyRequest, body: string | Buffer) => {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    if (!isPlainCode(request)) return parseBody(bytes.toString());
    if (!isProgramFile(request)) return { code: bytes.toString() };
    programs.set(request.raw, bytes);
    return {};
  });
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

function isProgramFile({ query }: BodyRequest): boolean {
  const { language } = query as { readonly language?: unknown };
  return language === "native" || language === "wasm";
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
