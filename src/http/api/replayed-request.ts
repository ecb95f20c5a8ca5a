// An HTTP request that has no connection, since it came once before or was only described; what is answered is kept instead of sent.
import { isUtf8 } from "node:buffer";
import { PlatformError } from "../../core/errors.ts";
import type { Exchange, HeaderList, RequestHead, ResponseHead } from "../../core/exchange.ts";
import { newId } from "../../core/id.ts";
import { checkHead, InvalidResponse, responseOf } from "../doors/functions/response.ts";
import type { Result } from "./run.ts";

const KEPT_BYTES = 8 * 1024 * 1024;

interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly relativePath: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: true;
  readonly bodyTruncated?: true;
}

/** True for the record of a request, and for no value that a function is called with but one made to look like it. */
export function isRecordedRequest(event: string): boolean {
  const { method, relativePath, query, headers } = Object(JSON.parse(event)) as Partial<RecordedRequest>;
  return [method, relativePath, query].every((part) => typeof part === "string") && typeof headers === "object";
}

/**
 * @param event as the execution's record has it
 * @throws PlatformError INVALID_REQUEST where not all of it was kept
 */
export function recordedRequest(event: string): ReplayedRequest {
  const { method, path, relativePath, query, headers, ...kept } = JSON.parse(event) as RecordedRequest;
  if (kept.bodyTruncated === true) {
    throw new PlatformError("INVALID_REQUEST", "its body was too long to be kept, so it cannot be sent again");
  }
  const body = Buffer.from(kept.body ?? "", kept.isBase64Encoded === true ? "base64" : "utf8");
  const list = Object.entries(headers).filter(([name]) => name !== "content-length");
  if (body.length > 0) list.push(["content-length", String(body.length)]);
  return new ReplayedRequest({ requestId: newId(), method, path, relativePath, query, headers: list }, body);
}

export class ReplayedRequest implements Exchange {
  readonly head: RequestHead;
  readonly firstBytes: Buffer;
  readonly rest = undefined;
  status: number | undefined;
  #headers: HeaderList = [];
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(head: RequestHead, body: Buffer) {
    this.head = head;
    this.firstBytes = body;
  }

  onHead({ status, headers }: ResponseHead): string | undefined {
    const checked = checkHead(status, headers);
    if (typeof checked === "string") return checked;
    this.status = status;
    this.#headers = checked;
    return undefined;
  }

  onBody(chunk: Buffer, taken: () => void): void {
    if (this.#bytes < KEPT_BYTES) this.#chunks.push(chunk.subarray(0, KEPT_BYTES - this.#bytes));
    this.#bytes += chunk.length;
    taken();
  }

  /** The run's result with the response that its caller would have got. */
  answered(result: Result): Result {
    if (this.status !== undefined) {
      return { ...result, response: shape(this.status, this.#headers, Buffer.concat(this.#chunks)) };
    }
    if (result.error !== undefined) return result;
    const { result: value, ...rest } = result;
    try {
      const { status, headers, body } = responseOf(value === undefined ? undefined : JSON.stringify(value));
      this.status = status;
      return { ...rest, response: shape(status, headers, Buffer.from(body)) };
    } catch (error) {
      if (!(error instanceof InvalidResponse)) throw error;
      return { ...rest, status: "error", error: { name: error.name, message: error.message } };
    }
  }
}

function shape(statusCode: number, headers: HeaderList, body: Buffer): NonNullable<Result["response"]> {
  const isText = isUtf8(body);
  return {
    statusCode,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body: body.toString(isText ? "utf8" : "base64"),
    isBase64Encoded: !isText,
  };
}
