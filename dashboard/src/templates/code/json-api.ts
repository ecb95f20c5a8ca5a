// Adds two numbers: POST {"a": 1, "b": 2}
interface Numbers {
  a?: unknown;
  b?: unknown;
}

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") return refusal(405, 'POST {"a": 1, "b": 2}');
    const { a, b } = (await request.json().catch(() => ({}))) as Numbers;
    if (typeof a !== "number" || typeof b !== "number") return refusal(400, "a and b must be numbers");
    return Response.json({ sum: a + b });
  },
};

function refusal(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
