// The part of Markdown that most texts need: headings, paragraphs, lists, code, emphasis and links.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** HTML of a text in Markdown. HTML in the text is shown, not obeyed, and no link runs a script. */
export function renderMarkdown(markdown) {
  // A block of code may have empty lines; everything else ends with one.
  const blocks = markdown.replaceAll("\r\n", "\n").split(/^(```[^\n]*\n[\s\S]*?^```)$|\n{2,}/m);
  return blocks
    .filter((block) => block !== undefined && block.trim() !== "")
    .map((block) => renderBlock(block.trim()))
    .join("\n");
}

function renderBlock(block) {
  const code = /^```[^\n]*\n([\s\S]*?)\n?```$/.exec(block);
  if (code) return `<pre><code>${escape(code[1])}</code></pre>`;
  const heading = /^(#{1,6}) (.*)$/.exec(block);
  if (heading) return `<h${heading[1].length}>${renderLine(heading[2])}</h${heading[1].length}>`;
  const lines = block.split("\n");
  if (lines.every((line) => /^[-*] /.test(line))) {
    return `<ul>${lines.map((line) => `<li>${renderLine(line.slice(2))}</li>`).join("")}</ul>`;
  }
  return `<p>${renderLine(lines.join(" "))}</p>`;
}

function renderLine(text) {
  // Every other piece is code, and what looks like Markdown in there is none.
  return text
    .split(/`([^`]+)`/)
    .map((piece, index) => (index % 2 === 1 ? `<code>${escape(piece)}</code>` : renderWords(escape(piece))))
    .join("");
}

function renderWords(html) {
  return html
    .replaceAll(/\[([^\]]+)\]\(((?:https?:|mailto:|\/|\.|#)[^\s)]*)\)/g, '<a href="$2">$1</a>')
    .replaceAll(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replaceAll(/\*([^*]+)\*/g, "<em>$1</em>");
}

function escape(text) {
  return text.replaceAll(/[&<>"]/g, (character) => ESCAPES[character]);
}
