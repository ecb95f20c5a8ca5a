// Executions are found by the words of their log lines and errors.
import type { LogLine } from "../core/log-line.ts";

// A program may print a megabyte on every call; indexing all of it would take the store's thread 70 ms a row.
const INDEXED_CHARACTERS = 64 * 1024;
const WORD_CHARACTERS = 64; // of a longer word the beginning counts: Base64 and the like are no words to look for
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const ASCII = /^[\0-\x7f]*$/; // as most that is printed is: four times as quick as the same by Unicode's properties
const ASCII_WORD = /[a-z\d]+/g;
/** Of a query; nobody types more, and a pasted log would be a query of thousands. */
export const MAX_QUERY_WORDS = 32;

/** The words of a text, in lower case, each once. */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  if (ASCII.test(text)) {
    for (const word of text.toLowerCase().match(ASCII_WORD) ?? []) words.add(cut(word));
  } else {
    for (const [word] of text.normalize().toLowerCase().matchAll(WORD)) words.add(cut(word));
  }
  return words;
}

// Not in the middle of a surrogate pair: a half one would be stored as another character.
function cut(word: string): string {
  return word.length <= WORD_CHARACTERS ? word : word.slice(0, WORD_CHARACTERS).replace(/[\ud800-\udbff]$/, "");
}

/** What an execution tells: its error and its log lines, as far as they are indexed. */
export function textOf(error: string | undefined, lines: readonly LogLine[]): string {
  let text = error ?? "";
  for (const line of lines) {
    if (text.length >= INDEXED_CHARACTERS) break;
    text += `\n${line.text}`;
  }
  return text.slice(0, INDEXED_CHARACTERS);
}
