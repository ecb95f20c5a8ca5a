// What is kept of a call and its answer: enough to understand and replay it, and nothing that opens a door.
import { isUtf8 } from "node:buffer";
import { stringifyWith } from "../../../core/json-text.ts";
import { maskedByName, maskedFields, mayTell } from "../../../core/masking.ts";
import type { RequestHead } from "../../../core/exchange.ts";
import type { HeaderList } from "../../../core/exchange.ts";

const KEPT_BODY_BYTES = 16 * 1024;

export interface KeptBody {
  readonly body?: string;
  readonly isBase64Encoded?: true;
  readonly bodyTruncated?: true;
}

/** What is kept of headers. */
interface KeptHeaders {
  /** Masked, a map as JSON text. */
  readonly headersJson: string;
  /** In lower case. */
  readonly contentType: string;
}

/** What is kept of a request's head. */
export interface KeptHead extends KeptHeaders {
  /** The event as JSON text, up to its body. */
  readonly begin: string;
}

function keptHeaders(headers: HeaderList): KeptHeaders {
  const masked = Object.fromEntries(headers.map(([name, value]) => [name, maskedByName(name, value)]));
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1];
  return { headersJson: JSON.stringify(masked), contentType: type?.toLowerCase() ?? "" };
}

export function keptHead({ method, path, relativePath, query, headers }: RequestHead): KeptHead {
  const begin = JSON.stringify({ method, path, relativePath, query: maskedQuery(query) }).slice(0, -1);
  return { begin, ...keptHeaders(headers) };
}

/** The event as JSON text. */
export function eventRecord(
  { begin, headersJson, contentType }: KeptHead,
  firstBytes: Buffer,
  isWhole: boolean,
): string {
  const { body, isBase64Encoded, bodyTruncated } = keptBody(firstBytes, isWhole, contentType);
  let text = begin;
  if (body !== undefined) text += `,"body":${JSON.stringify(body)}`;
  if (isBase64Encoded) text += ',"isBase64Encoded":true';
  if (bodyTruncated) text += ',"bodyTruncated":true';
  return `${text},"headers":${headersJson}}`;
}

export function responseRecord(statusCode: number, headers: HeaderList, firstBytes: Buffer, isWhole: boolean): string {
  const kept = keptHeaders(headers);
  return stringifyWith({ statusCode, ...keptBody(firstBytes, isWhole, kept.contentType) }, "headers", kept.headersJson);
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
  const isCut = !isWhole || kept.length < bytes.length;
  if (!isCut && !isUtf8(kept)) return { body: kept.toString("base64"), isBase64Encoded: true };
  const body = maskedBody(kept.toString("utf8"), type);
  return isCut ? { body, bodyTruncated: true } : { body };
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
