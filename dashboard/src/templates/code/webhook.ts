// Takes webhooks that are signed as GitHub signs them. Set the secret WEBHOOK_SECRET; until then it answers 503.
import { createHmac, timingSafeEqual } from "node:crypto";

export default {
  async fetch(request: Request, env: Record<string, string | undefined>): Promise<Response> {
    const secret = env["WEBHOOK_SECRET"];
    if (!secret) return Response.json({ error: "set the secret WEBHOOK_SECRET first" }, { status: 503 });
    const body = Buffer.from(await request.arrayBuffer());
    if (!isSigned(body, request.headers.get("x-hub-signature-256") ?? "", secret)) {
      return Response.json({ error: "the signature is wrong" }, { status: 401 });
    }
    console.log("took", request.headers.get("x-github-event") ?? "a delivery", body.toString());
    return Response.json({ accepted: true }, { status: 202 });
  },
};

function isSigned(body: Buffer, signature: string, secret: string): boolean {
  const expected = Buffer.from("sha256=" + createHmac("sha256", secret).update(body).digest("hex"));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
