// Takes webhooks that are signed as GitHub signs them. Set the secret WEBHOOK_SECRET; until then it answers 503.
import { createHmac, timingSafeEqual } from "node:crypto";

export default {
  async fetch(request, env) {
    if (!env.WEBHOOK_SECRET) return Response.json({ error: "set the secret WEBHOOK_SECRET first" }, { status: 503 });
    const body = Buffer.from(await request.arrayBuffer());
    if (!isSigned(body, request.headers.get("x-hub-signature-256") ?? "", env.WEBHOOK_SECRET)) {
      return Response.json({ error: "the signature is wrong" }, { status: 401 });
    }
    console.log("took", request.headers.get("x-github-event") ?? "a delivery", body.toString());
    return Response.json({ accepted: true }, { status: 202 });
  },
};

function isSigned(body, signature, secret) {
  const expected = Buffer.from("sha256=" + createHmac("sha256", secret).update(body).digest("hex"));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
