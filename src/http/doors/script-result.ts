// From what a run returned or printed to `{"data", "type"}`, the script API's answer. Data stays JSON text on its way,
// so that no digit is lost.

export interface ScriptResult {
  /** One JSON value, as text without line breaks. */
  readonly data: string;
  readonly type: "string" | "number" | "json" | "text";
}

const NOTHING: ScriptResult = { data: '""', type: "text" };

/** A returned value; a string that holds an object or array is taken for it. */
export function returnedResult(json: string): ScriptResult {
  const first = json.trimStart()[0] ?? "";
  if (first !== '"') return { data: oneLine(json), type: NUMBER_START.test(first) ? "number" : "json" };
  const text = JSON.parse(json) as string;
  return parseCollection(text) ?? { data: json, type: "string" };
}

/** What was printed, where nothing was returned: JSON as a whole, else in its last line that is not empty, else text. */
export function printedResult(printed: string): ScriptResult {
  const text = printed.trim();
  if (text === "") return NOTHING;
  const lastLine = text.slice(text.lastIndexOf("\n") + 1);
  return parseAny(text) ?? parseAny(lastLine) ?? { data: JSON.stringify(text), type: "text" };
}

/** One line as a `log` event: an object or array as such, all else, numbers too, as the raw text. */
export function loggedResult(line: string): ScriptResult {
  return parseCollection(line) ?? { data: JSON.stringify(line), type: "text" };
}

const NUMBER_START = /[-\d]/;

function parseAny(text: string): ScriptResult | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const type = typeof value === "string" ? "string" : typeof value === "number" ? "number" : "json";
    return { data: oneLine(text), type };
  } catch {
    return undefined;
  }
}

function parseCollection(text: string): ScriptResult | undefined {
  return /^\s*[[{]/.test(text) ? parseAny(text) : undefined;
}

/** JSON text has line breaks only between its tokens. */
function oneLine(json: string): string {
  return json.replace(/[\r\n]+/g, " ").trim();
}
