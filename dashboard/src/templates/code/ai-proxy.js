// Asks a language model: POST {"question": "…"}. Set the secret OPENAI_API_KEY, and OPENAI_ENDPOINT for another provider.
import { ai } from "cloche";

export default {
  async fetch(request, env) {
    const { question } = await request.json().catch(() => ({}));
    if (typeof question !== "string") return Response.json({ error: 'POST {"question": "…"}' }, { status: 400 });
    if (!env.OPENAI_API_KEY) return Response.json({ error: "set the secret OPENAI_API_KEY first" }, { status: 503 });
    const model = env.MODEL ?? "gpt-4o-mini";
    const { content, usage } = await ai.chat({
      provider: "openai",
      model,
      messages: [{ role: "user", content: question }],
    });
    return Response.json({ answer: content, usage });
  },
};
