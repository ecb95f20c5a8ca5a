// Adds two numbers: POST {"a": 1, "b": 2}
export default {
  async fetch(request) {
    if (request.method !== "POST") return refusal(405, 'POST {"a": 1, "b": 2}');
    const { a, b } = await request.json().catch(() => ({}));
    if (typeof a !== "number" || typeof b !== "number") return refusal(400, "a and b must be numbers");
    return Response.json({ sum: a + b });
  },
};

function refusal(status, error) {
  return Response.json({ error }, { status });
}
