import { textOf, wordsOf } from "../words.ts";
import { unpackLines } from "./execution-lines.ts";

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

/** The text to index, for a tokenizer that splits at ASCII characters which are no letters or digits, and nowhere else. */
export function indexWords(sequence: number, facets: Facets, error: string | null, lines: string | null): string {
  const mark = markOf(partOf(sequence));
  let text = `${mark}${FUNCTION_MARK}${facets.functionKey} ${mark}${PROGRAM_MARK}${facets.programKey} ${mark}${OUTCOME_MARK}${facets.outcome}`;
  for (const word of wordsOf(textOf(error ?? undefined, unpackLines(lines)))) text += ` ${mark}${word}`;
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
