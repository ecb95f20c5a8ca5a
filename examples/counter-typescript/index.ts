// Counters with names: GET reads, POST adds `by` (1 unless it says otherwise), DELETE starts again.
import { type HandlerContext, kv } from "cloche";

const METHODS = "GET, POST, DELETE";

export default {
  async fetch(request: Request, _env: unknown, ctx: HandlerContext): Promise<Response> {
    const name = (ctx.relativePath ?? "/").slice(1);
    if (!/^[\w-]{1,50}$/.test(name)) return refusal(404, "a counter's name is 1 to 50 letters, digits, _ or -");
    const key = `count:${name}`;
    switch (request.method) {
      case "GET":
        return Response.json({ name, count: (await kv.get<number>(key)) ?? 0 });
      case "POST": {
        const by = Number(new URL(request.url).searchParams.get("by") ?? 1);
        if (!Number.isSafeInteger(by)) return refusal(400, "by: a whole number is required");
        return Response.json({ name, count: await kv.incr(key, by) });
      }
      case "DELETE":
        await kv.delete(key);
        return new Response(null, { status: 204 });
      default:
        return refusal(405, `one of ${METHODS} is required`, { Allow: METHODS });
    }
  },
};

function refusal(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers });
}
