// Makes pictures small: POST a PNG, get one that is at most `?size=` pixels wide and high (128 unless it says otherwise).
import { decodePng, encodePng, NotSupported } from "./png.js";
import { shrink } from "./shrink.js";

const LARGEST_SIZE = 1024;

export default {
  async fetch(request) {
    if (request.method !== "POST") return refusal(405, "POST a PNG");
    const size = Number(new URL(request.url).searchParams.get("size") ?? 128);
    if (!Number.isInteger(size) || size < 1 || size > LARGEST_SIZE) {
      return refusal(400, `size: a whole number from 1 to ${LARGEST_SIZE} is required`);
    }
    try {
      const small = shrink(decodePng(Buffer.from(await request.arrayBuffer())), size);
      return new Response(encodePng(small), {
        headers: { "Content-Type": "image/png", "X-Size": `${small.width}x${small.height}` },
      });
    } catch (error) {
      if (error instanceof NotSupported) return refusal(415, error.message);
      throw error;
    }
  },
};

function refusal(status, error) {
  return Response.json({ error }, { status });
}
