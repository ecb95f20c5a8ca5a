// Short addresses: POST one as the body, get a short one that redirects to it, and see how often it was followed.
import { createHash } from "node:crypto";
import { kv } from "cloche";

const SHORTEST = 6; // characters; 36 bits
const LONGEST_URL = 2000; // characters; what every browser takes

export default {
  async fetch(request, env, ctx) {
    const [code, rest] = ctx.relativePath.slice(1).split("/");
    if (request.method === "POST" && code === "") {
      return await shorten(await request.text(), `${ctx.baseUrl}/fn/${ctx.functionName}`);
    }
    if (request.method !== "GET") return refusal(405, "POST an address to /, or GET a short one");
    const link = code === "" ? undefined : await kv.get(`link:${code}`);
    if (link === undefined) return refusal(404, "there is no such short address");
    if (rest === "visits") return Response.json({ url: link, visits: (await kv.get(`visits:${code}`)) ?? 0 });
    ctx.waitUntil(kv.incr(`visits:${code}`)); // nobody waits for the count
    return Response.redirect(link, 302);
  },
};

async function shorten(text, ownUrl) {
  const url = URL.parse(text.trim());
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.href.length > LONGEST_URL) {
    return refusal(400, `the body must be an http or https address of at most ${LONGEST_URL} characters`);
  }
  const code = await keep(url.href);
  return Response.json({ code, short: `${ownUrl}/${code}` }, { status: 201 });
}

/** The same address always has the same code; where two addresses meet in one, the second gets a longer one. */
async function keep(link) {
  const hash = createHash("sha256").update(link).digest("base64url");
  for (let length = SHORTEST; length <= hash.length; length++) {
    const code = hash.slice(0, length);
    if (await kv.cas(`link:${code}`, undefined, link)) return code;
    if ((await kv.get(`link:${code}`)) === link) return code;
  }
  throw new Error(`every code of ${link} is taken`);
}

function refusal(status, error) {
  return Response.json({ error }, { status });
}
