// Lets clients talk to an OpenAI-style API without ever seeing its key. Answers pass through as they arrive.

const ROUTES = new Set(["POST /chat/completions", "POST /embeddings", "GET /models"]);
/** Of the answer: what a client needs to read it, and to know when to come back. */
const PASSED_ON = ["content-type", "retry-after", "x-request-id"];

export default {
  async fetch(request, env, ctx) {
    if (!ROUTES.has(`${request.method} ${ctx.relativePath}`)) return refusal(404, "there is no such route");
    if (!env.UPSTREAM_URL || !env.UPSTREAM_KEY) return refusal(503, "UPSTREAM_URL and UPSTREAM_KEY are not set");
    try {
      const answer = await fetch(env.UPSTREAM_URL + ctx.relativePath, {
        method: request.method,
        // Nothing of the client's headers goes on: not its cookies, not an Authorization of its own.
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${env.UPSTREAM_KEY}` },
        body: request.method === "POST" ? await request.bytes() : undefined,
        signal: ctx.signal, // when the client goes away, so do we
      });
      return new Response(answer.body, { status: answer.status, headers: headersOf(answer) });
    } catch (error) {
      console.error(error);
      return refusal(502, "the model cannot be reached");
    }
  },
};

function headersOf(answer) {
  return PASSED_ON.map((name) => [name, answer.headers.get(name)]).filter(([, value]) => value !== null);
}

/** In the form of the API, so that its clients can show it. */
function refusal(status, message) {
  return Response.json({ error: { message, type: "proxy_error" } }, { status });
}
