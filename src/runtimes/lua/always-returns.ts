// Advice for the server: does this Lua surely end by returning a value? A wrong "no" only holds back one printed line
// until the run ends; a wrong "yes" would lose one as the result. So whatever is in doubt is "no".

// Its result may come from a function that returns nothing.
const OTHER_ENDINGS = /\bhandler\b/;

// A long comment or string, a comment, a string, a word, a number, anything else.
const TOKENS =
  /--\[(=*)\[[^]*?\]\1\]|--[^\n]*|\[(=*)\[[^]*?\]\2\]|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'|[A-Za-z_]\w*|\d[\w.]*|[^\s]/g;

/** @returns true only when the last statement of `source` is a `return` at top level whose value cannot be missing, and no other one of the top level can miss it */
export function alwaysReturns(source: string): boolean {
  if (OTHER_ENDINGS.test(source)) return false;
  const tokens = [...source.matchAll(TOKENS)].map(([token]) => token).filter((token) => !token.startsWith("--"));
  const blocks: string[] = []; // what is open, by the word that began it
  let last = false;
  for (const [index, token] of tokens.entries()) {
    if (/^(?:function|if|do|repeat)$/.test(token)) blocks.push(token);
    else if (token === "end" || token === "until") blocks.pop();
    else if (token === "return" && !blocks.includes("function")) {
      if (!hasValue(tokens.slice(index + 1))) return false;
      last = blocks.length === 0;
    }
  }
  return last && blocks.length === 0;
}

/** `rest`: what is behind the word `return`. Only a call, or `...`, may give no value; a constructor or an operator gives one. */
function hasValue(rest: readonly string[]): boolean {
  const [first = ""] = rest;
  if (/^(?:\{|["'\d#-]|\[[=[]|(?:true|false|nil|not|function)$)/.test(first)) return true;
  if (!/^[A-Za-z_]\w*$/.test(first) || /^(?:end|else|elseif|until)$/.test(first)) return false;
  const stop = rest.findIndex((token) => /^(?:end|else|elseif|until|;)$/.test(token));
  return !rest.slice(0, stop === -1 ? undefined : stop).some((token) => /^[({"']|^\[[=[]/.test(token));
}
