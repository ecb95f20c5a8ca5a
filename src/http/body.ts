import type { IncomingMessage } from "node:http";
import { PlatformError } from "../core/errors.ts";
import { WholeMessage } from "./fast-path/whole-message.ts";

/** @throws PlatformError BODY_TOO_LARGE */
export async function readBody(message: IncomingMessage, limitBytes: number): Promise<string> {
  return (await readBytes(message, limitBytes)).toString("utf8");
}

/** The whole body where it has come with its head and is not too large: nothing has to be waited for. */
export function bodyAtHand(message: IncomingMessage, limitBytes: number): Buffer | undefined {
  return message instanceof WholeMessage && message.body.length <= limitBytes ? message.body : undefined;
}

/**
 * The whole body. One that is too large is refused before it is kept: by its announced length, else at the first byte too many.
 *
 * @param setting what changes the limit, for the message
 * @throws PlatformError BODY_TOO_LARGE
 */
export function readBytes(
  message: IncomingMessage,
  limitBytes: number,
  setting = ", setting BODY_MAX_SIZE",
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const announced = Number(message.headers["content-length"] ?? 0);
    if (announced > limitBytes) {
      reject(tooLarge(limitBytes, setting));
      return;
    }
    const atHand = bodyAtHand(message, limitBytes);
    if (atHand !== undefined) {
      resolve(atHand);
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    message.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limitBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge(limitBytes, setting));
      }
    });
    message.on("end", () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    message.on("error", () => reject(new PlatformError("INVALID_REQUEST", "the request ended before its body did")));
  });
}

export function tooLarge(limitBytes: number, setting: string): PlatformError {
  return new PlatformError("BODY_TOO_LARGE", `request body too large (max ${limitBytes} bytes${setting})`);
}
