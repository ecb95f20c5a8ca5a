// Pages written in Markdown: GET shows one of the program's own, POST shows what its body would look like.
import { renderMarkdown } from "./markdown.js";
import template from "./page.html";
import about from "./pages/about.md";
import welcome from "./pages/welcome.md";

const PAGES = new Map([
  ["/", welcome],
  ["/about", about],
]);

export default {
  async fetch(request, env, ctx) {
    const markdown = request.method === "POST" ? await request.text() : PAGES.get(ctx.relativePath);
    if (markdown === undefined) return page("# Not found\n\nThere is no such page.", 404);
    return page(markdown, 200);
  },
};

function page(markdown, status) {
  const body = renderMarkdown(markdown);
  const title = /<h1>(.*?)<\/h1>/.exec(body)?.[1] ?? "A page";
  const text = title.replaceAll(/<[^>]*>/g, "");
  // Functions, since `$&` in a text would have a meaning.
  const html = template.replace("{{title}}", () => text).replace("{{body}}", () => body);
  return new Response(html, { status, headers: { "Content-Type": "text/html; charset=utf-8" } });
}
