import type { IncomingMessage } from "node:http";
import { PlatformError } from "../core/errors.ts";

/**
 * The whole body as text. One that is too large is refused before it is kept: by its announced length, else at the first byte too many.
 *
 * @throws PlatformError BODY_TOO_LARGE
 */
export function readBody(message: IncomingMessage, limitBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const announced = Number(message.headers["content-length"] ?? 0);
    if (announced > limitBytes) {
      reject(tooLarge(limitBytes));
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    message.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limitBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge(limitBytes));
      }
    });
    message.on("end", () => {
      const [only] = chunks;
      resolve(
        chunks.length === 1 && only !== undefined ? only.toString("utf8") : Buffer.concat(chunks).toString("utf8"),
      );
    });
    message.on("error", () => reject(new PlatformError("INVALID_REQUEST", "the request ended before its body did")));
  });
}

function tooLarge(limitBytes: number): PlatformError {
  return new PlatformError("BODY_TOO_LARGE", `request body too large (max ${limitBytes} bytes, setting BODY_MAX_SIZE)`);
}
