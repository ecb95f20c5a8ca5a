// The request of a caller, as a function gets it.
import type { IncomingMessage } from "node:http";
import type { PlatformError } from "../../../core/errors.ts";
import { bodyAtHand, readBytes, tooLarge as bodyTooLarge } from "../../body.ts";

/** A body up to this size is read before the run begins; a larger one is streamed. */
const WHOLE_BODY_BYTES = 64 * 1024;
const SETTING = ", setting HTTP_BODY_MAX_SIZE";
const MAX_REQUEST_ID_CHARS = 200;

/** The caller's own, where it has one that can be shown. */
export function requestIdOf(message: IncomingMessage): string | undefined {
  const given = message.headers["x-request-id"];
  return typeof given === "string" && given !== "" && given.length <= MAX_REQUEST_ID_CHARS ? given : undefined;
}

/**
 * The body where it is small and its length is known; undefined where it is to be streamed. No promise where nothing has to be waited for.
 *
 * @throws PlatformError BODY_TOO_LARGE
 */
export function wholeBody(message: IncomingMessage, limitBytes: number): Buffer | undefined | Promise<Buffer> {
  const atHand = bodyAtHand(message, limitBytes);
  if (atHand !== undefined) return atHand;
  const announced = message.headers["content-length"];
  if (announced !== undefined && Number(announced) > limitBytes) throw tooLarge(limitBytes);
  if (announced === undefined && message.headers["transfer-encoding"] === undefined) return Buffer.alloc(0);
  if (announced === undefined || Number(announced) > WHOLE_BODY_BYTES) return undefined;
  return readBytes(message, limitBytes, SETTING);
}

export function tooLarge(limitBytes: number): PlatformError {
  return bodyTooLarge(limitBytes, SETTING);
}
