import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw } from "node:zlib";
import { OutboundError, shown } from "./outbound-error.ts";

type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ["gzip", promisify(gunzip)],
  ["x-gzip", promisify(gunzip)],
  ["deflate", inflateEither],
  ["br", promisify(brotliDecompress)],
]);
/** Nobody who means well packs more often; each layer may grow to the limit again. */
const MOST_LAYERS = 3;

/**
 * The body unpacked, never larger than `maxBytes`; undefined where it is in a coding that we do not know.
 *
 * @param codings the header `content-encoding`
 * @throws OutboundError where it is larger, or not what the header says
 */
export async function decodeBody(body: Buffer, codings: string, maxBytes: number): Promise<Buffer | undefined> {
  const layers = codings
    .toLowerCase()
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "" && word !== "identity");
  const decoders = layers.map((layer) => DECODERS.get(layer));
  if (decoders.length > MOST_LAYERS) return undefined;
  let decoded = body;
  for (const decode of decoders.toReversed()) {
    if (decode === undefined) return undefined;
    if (decoded.length === 0) break;
    try {
      decoded = await decode(decoded, { maxOutputLength: maxBytes });
    } catch (error) {
      throw new OutboundError("REQUEST_FAILED", whyNot(error, codings, maxBytes), { cause: error });
    }
  }
  return decoded;
}

/** By the book it is zlib's format, but some servers send the bare stream. */
function inflateEither(body: Buffer, options: { readonly maxOutputLength: number }): Promise<Buffer> {
  const isZlib = ((body[0] ?? 0) & 0x0f) === 8;
  return promisify(isZlib ? inflate : inflateRaw)(body, options);
}

function whyNot(error: unknown, codings: string, maxBytes: number): string {
  return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
    ? `the response is larger than ${maxBytes} bytes when it is unpacked`
    : `the response is not ${shown(codings)}, as it says`;
}
