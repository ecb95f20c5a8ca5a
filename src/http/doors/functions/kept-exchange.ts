// A request that is answered with 202 and run later: how it is kept, and how its response is.
import { isUtf8 } from "node:buffer";
import type { Exchange, HeaderList, RequestHead, ResponseHead } from "../../../core/exchange.ts";
import type { KeptRequest, KeptResponse } from "../../../services/job-payload.ts";
import type { KeptExchange } from "../../../services/run-job.ts";
import { eventRecord, keptHead } from "./record.ts";
import { checkHead, InvalidResponse, responseOf } from "./response.ts";

const KEPT_BYTES = 256 * 1024; // what is longer is not kept in a job at all

export function keepRequest(head: RequestHead, body: Buffer): KeptRequest {
  const { requestId, remoteAddress, method, path, relativePath, query, headers } = head;
  // It is kept whole: its length is known now, however it came.
  const list: [string, string][] = headers
    .filter(([name]) => name !== "content-length" && name !== "prefer")
    .map(([name, value]) => [name, value]);
  if (body.length > 0) list.push(["content-length", String(body.length)]);
  return { requestId, remoteAddress, method, path, relativePath, query, headers: list, body: body.toString("base64") };
}

export class StoredExchange implements KeptExchange {
  readonly head: RequestHead;
  readonly firstBytes: Buffer;
  readonly rest: Exchange["rest"] = undefined;
  status: number | undefined;
  #headers: HeaderList = [];
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor({ body, ...head }: KeptRequest) {
    this.head = head;
    this.firstBytes = Buffer.from(body, "base64");
  }

  onHead({ status, headers }: ResponseHead): string | undefined {
    const checked = checkHead(status, headers);
    if (typeof checked === "string") return checked;
    this.status = status;
    this.#headers = checked;
    return undefined;
  }

  onBody(chunk: Buffer, taken: () => void): void {
    if (this.#bytes <= KEPT_BYTES) this.#chunks.push(chunk.subarray(0, KEPT_BYTES + 1 - this.#bytes));
    this.#bytes += chunk.length;
    taken();
  }

  event(): string {
    return eventRecord(keptHead(this.head), this.firstBytes, true);
  }

  answer(returned: string | undefined): KeptResponse | string {
    if (this.status !== undefined) return shape(this.status, this.#headers, Buffer.concat(this.#chunks));
    try {
      const { status, headers, body } = responseOf(returned);
      this.status = status;
      return shape(status, headers, Buffer.from(body));
    } catch (error) {
      if (!(error instanceof InvalidResponse)) throw error;
      return error.message;
    }
  }
}

function shape(statusCode: number, headers: HeaderList, body: Buffer): KeptResponse {
  const isText = isUtf8(body);
  return { statusCode, headers, body: body.toString(isText ? "utf8" : "base64"), isBase64Encoded: !isText };
}
