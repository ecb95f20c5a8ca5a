// What is kept of a call and its answer: enough to understand and replay it, and nothing that opens a door.
import { isUtf8 } from "node:buffer";
import { maskedByName, maskedFields, mayTell } from "../../../core/masking.ts";
import type { RequestHead } from "../../../core/exchange.ts";
import type { HeaderList } from "../../../core/exchange.ts";

const KEPT_BODY_BYTES = 16 * 1024;

export interface KeptBody {
  readonly body?: string;
  readonly isBase64Encoded?: true;
  readonly bodyTruncated?: true;
}

/** The event as JSON text. */
export function eventRecord(head: RequestHead, firstBytes: Buffer, isWhole: boolean): string {
  const { method, path, relativePath, query, headers } = head;
  return JSON.stringify({
    method,
    path,
    relativePath,
    query: maskedQuery(query),
    headers: maskedHeaders(headers),
    ...keptBody(firstBytes, isWhole, contentType(headers)),
  });
}

export function responseRecord(status: number, headers: HeaderList, firstBytes: Buffer, isWhole: boolean): string {
  const kept = keptBody(firstBytes, isWhole, contentType(headers));
  return JSON.stringify({ statusCode: status, headers: maskedHeaders(headers), ...kept });
}

/** Collects the first bytes of a response for its record. */
export class FirstBytes {
  #chunks: Buffer[] = [];
  #bytes = 0;
  isWhole = true;

  push(chunk: Buffer): void {
    if (this.#bytes >= KEPT_BODY_BYTES) this.isWhole &&= chunk.length === 0;
    else {
      const kept = chunk.subarray(0, KEPT_BODY_BYTES - this.#bytes);
      this.#chunks.push(kept);
      this.#bytes += kept.length;
      this.isWhole &&= kept.length === chunk.length;
    }
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function maskedHeaders(headers: HeaderList): Record<string, string> {
  return Object.fromEntries(headers.map(([name, value]) => [name, maskedByName(name, value)]));
}

function maskedQuery(query: string): string {
  if (!mayTell(query)) return query;
  const masked = [...new URLSearchParams(query)].map(([name, value]): [string, string] => [
    name,
    maskedByName(name, value),
  ]);
  return new URLSearchParams(masked).toString();
}

function keptBody(bytes: Buffer, isWhole: boolean, type: string): KeptBody {
  if (bytes.length === 0) return {};
  const kept = bytes.subarray(0, KEPT_BODY_BYTES);
  const bodyTruncated = isWhole && kept.length === bytes.length ? {} : { bodyTruncated: true as const };
  if (!isUtf8(kept) && bodyTruncated.bodyTruncated === undefined) {
    return { body: kept.toString("base64"), isBase64Encoded: true };
  }
  return { body: maskedBody(kept.toString("utf8"), type), ...bodyTruncated };
}

function maskedBody(text: string, type: string): string {
  if (type.includes("application/x-www-form-urlencoded")) return maskedQuery(text);
  if (!type.includes("json") || !mayTell(text)) return text;
  try {
    return JSON.stringify(maskedFields(JSON.parse(text)));
  } catch {
    return text.replace(/("[^"]*(?:password|secret|token|key)[^"]*"\s*:\s*)"[^"]*"/gi, '$1"***"'); // cut off, or not JSON
  }
}

function contentType(headers: HeaderList): string {
  return headers.find(([name]) => name.toLowerCase() === "content-type")?.[1].toLowerCase() ?? "";
}
