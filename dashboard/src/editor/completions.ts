// Completion and hover for the platform's API where the editor knows no types: Python, Lua and Go. TypeScript reads the
// types themselves.
import type * as Monaco from "monaco-editor/editor";
import { type ApiEntry, GO, LUA, PYTHON } from "./api-entries.ts";

/** Registers what is known of each language's API. Call it once. */
export function registerCompletions(monaco: typeof Monaco): void {
  for (const [language, entries] of [
    ["python", PYTHON],
    ["lua", LUA],
    ["go", GO],
  ] as const) {
    monaco.languages.registerCompletionItemProvider(language, {
      triggerCharacters: ["."],
      provideCompletionItems: (model, position) => ({
        suggestions: suggestionsAt(monaco, entries, model, position),
      }),
    });
    monaco.languages.registerHoverProvider(language, {
      provideHover: (model, position) => {
        const name = dottedNameAt(model.getLineContent(position.lineNumber), position.column - 1);
        const entry = entries.find(({ name: known }) => known === name);
        return entry === undefined
          ? undefined
          : { contents: [{ value: `\`\`\`${language}\n${entry.signature}\n\`\`\`` }, { value: entry.says }] };
      },
    });
  }
}

function suggestionsAt(
  monaco: typeof Monaco,
  entries: readonly ApiEntry[],
  model: Monaco.editor.ITextModel,
  { lineNumber, column }: Monaco.Position,
): Monaco.languages.CompletionItem[] {
  const before = model.getLineContent(lineNumber).slice(0, column - 1);
  const typed = /[\w.]*$/.exec(before)?.[0] ?? "";
  return entries
    .filter(({ name }) => name.startsWith(typed))
    .map(({ name, insert, signature, says }) => ({
      label: name,
      kind: name.includes(".")
        ? monaco.languages.CompletionItemKind.Method
        : monaco.languages.CompletionItemKind.Snippet,
      insertText: insert,
      insertTextRules: monaco.languages.CompletionItemInsertTextRule.InsertAsSnippet,
      detail: signature,
      documentation: says,
      // The whole dotted name is replaced: the editor's own word ends at the dot.
      range: new monaco.Range(lineNumber, column - typed.length, lineNumber, column),
      filterText: name,
    }));
}

/** `kv.get` wherever in it `index` is. */
export function dottedNameAt(line: string, index: number): string | undefined {
  for (const { 0: name, index: start } of line.matchAll(/[A-Za-z_][\w.]*/g)) {
    if (start <= index && index <= start + name.length) return name;
  }
  return undefined;
}
