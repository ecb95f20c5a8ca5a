import type { LogLine } from "../../core/log-line.ts";

// A program may print a megabyte on every call; indexing all of it would take the store's thread 70 ms a row.
const INDEXED_CHARACTERS = 64 * 1024;
const WORD_CHARACTERS = 64; // of a longer word the beginning counts: Base64 and the like are no words to look for
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const ASCII = /^[\0-\x7f]*$/; // as most that is printed is: four times as quick as the same by Unicode's properties
const NO_ASCII_WORD = /[^a-z\d]+/;

// Words of executions whose sequences are far apart are different words to the index, because finding all that begins with
// a common word costs 0.1 us for each time it was printed: so it costs that for one part of a list, and not for a million.
const PART_BITS = 15;
const FIRST_MARK = 0x4e00; // ideographs: any characters do that are not ASCII and never in the middle of a word
const MARKS = 20_000;
// A word cannot begin with a space character, so nothing that is printed looks like these.
const FUNCTION_MARK = "\ue000f";
const PROGRAM_MARK = "\ue000p";
const OUTCOME_MARK = "\ue000o";

/** What an execution can be found by besides its words. */
export interface Facets {
  readonly functionKey: number;
  readonly programKey: number;
  readonly outcome: number;
}

/** Any of these values, of each that is given. */
export interface WantedFacets {
  readonly functionKeys?: readonly number[] | undefined;
  readonly programKeys?: readonly number[] | undefined;
  readonly outcomes?: readonly number[] | undefined;
}

/** The words of a text, in lower case, each once. */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  if (ASCII.test(text)) {
    for (const word of text.toLowerCase().split(NO_ASCII_WORD)) if (word !== "") words.add(cut(word));
  } else {
    for (const [word] of text.normalize().toLowerCase().matchAll(WORD)) words.add(cut(word));
  }
  return words;
}

// Not in the middle of a surrogate pair: a half one would be stored as another character.
function cut(word: string): string {
  return word.length <= WORD_CHARACTERS ? word : word.slice(0, WORD_CHARACTERS).replace(/[\ud800-\udbff]$/, "");
}

/** What an execution tells: its error and its log lines, as far as they are indexed. `lines` is JSON of LogLine. */
export function textOf(error: string | null, lines: string | null): string {
  let text = error ?? "";
  if (lines === null) return text.slice(0, INDEXED_CHARACTERS);
  for (const line of JSON.parse(lines) as LogLine[]) {
    if (text.length >= INDEXED_CHARACTERS) break;
    text += `\n${line.text}`;
  }
  return text.slice(0, INDEXED_CHARACTERS);
}

/** The text to index, for a tokenizer that splits at ASCII characters which are no letters or digits, and nowhere else. */
export function indexWords(sequence: number, facets: Facets, error: string | null, lines: string | null): string {
  const mark = markOf(partOf(sequence));
  let text = `${mark}${FUNCTION_MARK}${facets.functionKey} ${mark}${PROGRAM_MARK}${facets.programKey} ${mark}${OUTCOME_MARK}${facets.outcome}`;
  for (const word of wordsOf(textOf(error, lines))) text += ` ${mark}${word}`;
  return text;
}

/** The part of the index in which the words of this execution are. */
export function partOf(sequence: number): number {
  return Math.floor(sequence / 2 ** PART_BITS);
}

/** The lowest sequence of a part. */
export function firstOfPart(part: number): number {
  return part * 2 ** PART_BITS;
}

/** A query for the words that begin so, in one part; only letters, digits and our marks get between the quotes. */
export function wordQuery(part: number, word: string): string {
  return `"${markOf(part)}${word}"*`;
}

/** A query for the facets in one part; undefined where none are wanted. */
export function facetQuery(part: number, wanted: WantedFacets): string | undefined {
  const mark = markOf(part);
  const anyOf = (kind: string, values: readonly number[]): string =>
    `(${values.map((value) => `"${mark}${kind}${value}"`).join(" OR ")})`;
  const all: string[] = [];
  if (wanted.functionKeys !== undefined) all.push(anyOf(FUNCTION_MARK, wanted.functionKeys));
  if (wanted.programKeys !== undefined) all.push(anyOf(PROGRAM_MARK, wanted.programKeys));
  if (wanted.outcomes !== undefined) all.push(anyOf(OUTCOME_MARK, wanted.outcomes));
  return all.length === 0 ? undefined : all.join(" AND ");
}

function markOf(part: number): string {
  return String.fromCharCode(FIRST_MARK + (part % MARKS));
}
