// Messages between the server and a build box, both ways: two lengths (32 bits, big endian), a JSON header, a body of bytes.
import type { Socket } from "node:net";

export interface Frame {
  /** Anything: the box is hostile. */
  readonly header: unknown;
  readonly body: Buffer;
}

const HEAD_BYTES = 8;
const MAX_HEADER_BYTES = 1_048_576; // names of some thousand cache entries; what a compiler said

export function writeFrame(socket: Socket, header: object, body: readonly Buffer[]): void {
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(text.length, 0);
  head.writeUInt32BE(
    body.reduce((sum, part) => sum + part.length, 0),
    4,
  );
  socket.cork();
  for (const part of [head, text, ...body]) socket.write(part);
  socket.uncork();
}

/** Puts frames together from the chunks in which they arrive. */
export class FrameReader {
  readonly #maxBodyBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #need = HEAD_BYTES;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /**
   * The frames that are complete with `chunk`.
   *
   * @throws Error where a frame is too large or its header is no JSON; nothing can be read after it
   */
  read(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: Frame[] = [];
    while (this.#bytes >= this.#need) {
      const all = Buffer.concat(this.#chunks);
      this.#chunks = [all];
      const headerBytes = all.readUInt32BE(0);
      const bodyBytes = all.readUInt32BE(4);
      if (headerBytes > MAX_HEADER_BYTES || bodyBytes > this.#maxBodyBytes) throw new Error("a frame is too large");
      this.#need = HEAD_BYTES + headerBytes + bodyBytes;
      if (all.length < this.#need) break;
      const headerEnd = HEAD_BYTES + headerBytes;
      const header: unknown = JSON.parse(all.toString("utf8", HEAD_BYTES, headerEnd));
      frames.push({ header, body: all.subarray(headerEnd, this.#need) });
      this.#chunks = [all.subarray(this.#need)];
      this.#bytes = all.length - this.#need;
      this.#need = HEAD_BYTES;
    }
    return frames;
  }
}
