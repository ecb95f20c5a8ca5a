/** What a worker under test sends, frame by frame. */
export class FrameSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #unread: Buffer = Buffer.alloc(0);

  constructor(channel: AsyncIterable<unknown>) {
    this.#chunks = (channel as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** Rejects where the worker has closed its channel. */
  async next(): Promise<{ readonly header: object; readonly bytes: Buffer }> {
    const lengths = await this.#take(8);
    const header = await this.#take(lengths.readUInt32BE(0));
    const bytes = await this.#take(lengths.readUInt32BE(4));
    return { header: withoutUsage(JSON.parse(header.toString()) as object), bytes };
  }

  async #take(count: number): Promise<Buffer> {
    const pieces = [this.#unread];
    let have = this.#unread.length;
    while (have < count) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new Error("the worker closed its channel");
      pieces.push(next.value);
      have += next.value.length;
    }
    const all = pieces.length === 1 ? this.#unread : Buffer.concat(pieces);
    this.#unread = all.subarray(count);
    return all.subarray(0, count);
  }
}

/** A header without what a worker says that it has used, which no two runs have the same: `test/e2e/usage.test.ts` is about that. */
export function withoutUsage<T>(header: T): T {
  const { cpuUs: _cpuUs, peakKib: _peakKib, ...others } = header as T & { cpuUs?: number; peakKib?: number };
  return others as T;
}
