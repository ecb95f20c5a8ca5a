// A form with files: GET shows it, POST says what arrived.
import { createHash } from "node:crypto";
import form from "./form.html";

export default {
  async fetch(request) {
    if (request.method === "GET")
      return new Response(form, { headers: { "Content-Type": "text/html; charset=utf-8" } });
    if (request.method !== "POST") return refusal(405, "GET the form, or POST it");
    let fields;
    try {
      fields = await request.formData();
    } catch {
      return refusal(400, "the body is not a form");
    }
    const texts = {};
    const files = [];
    for (const [name, value] of fields) {
      if (typeof value === "string") texts[name] = value;
      else files.push(await describe(name, value));
    }
    return Response.json({ texts, files });
  },
};

async function describe(field, file) {
  const sha256 = createHash("sha256")
    .update(await file.bytes())
    .digest("hex");
  return { field, name: file.name, type: file.type, bytes: file.size, sha256 };
}

function refusal(status, error) {
  return Response.json({ error }, { status });
}
