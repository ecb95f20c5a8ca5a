// The editor's library, with our languages, our colours and workers of our own origin. Whoever imports this file loads two
// megabytes: only code-editor.tsx and diff-editor.tsx may, and they are lazy themselves.
import * as monaco from "monaco-editor/editor";
// oxlint-disable import/default, import/no-named-as-default -- "?worker" makes a class of the module
import EditorWorker from "monaco-editor/editor/editor.worker?worker";
import * as typescript from "monaco-editor/languages/features/typescript/register";
import TypeScriptWorker from "monaco-editor/languages/features/typescript/ts.worker?worker";
// oxlint-enable import/default, import/no-named-as-default
import clocheTypes from "../../../src/runtimes/node/cloche.d.ts?raw";
import { registerCompletions } from "./completions.ts";
import { SCRIPT_GLOBALS } from "./script-globals.ts";

self.MonacoEnvironment = {
  getWorker: (_id, label) =>
    label === "typescript" || label === "javascript" ? new TypeScriptWorker() : new EditorWorker(),
};

/** "File not found" and "no types for this module": the server knows packages and files that this page does not. */
const UNKNOWABLE = [2307, 2792, 7016, 2305];
/** A bare script returns and awaits at its top, and parameters without types are nothing to fix in JavaScript. */
const ALLOWED_HERE = [1108, 1375, 1378, 1431, 7006, 7031, 7044, 7028, 6133, 80001];

let ready: Promise<typeof monaco> | undefined;

/** Resolves with the library when its languages are there. */
export function loadMonaco(): Promise<typeof monaco> {
  ready ??= prepare();
  return ready;
}

async function prepare(): Promise<typeof monaco> {
  await Promise.all([
    import("monaco-editor/features/register.all"),
    import("monaco-editor/languages/definitions/typescript/register"),
    import("monaco-editor/languages/definitions/javascript/register"),
    import("monaco-editor/languages/definitions/python/register"),
    import("monaco-editor/languages/definitions/lua/register"),
    import("monaco-editor/languages/definitions/go/register"),
    import("monaco-editor/languages/definitions/html/register"),
    import("monaco-editor/languages/definitions/css/register"),
    import("monaco-editor/languages/definitions/markdown/register"),
    import("monaco-editor/languages/definitions/sql/register"),
  ]);
  for (const defaults of [typescript.typescriptDefaults, typescript.javascriptDefaults]) {
    defaults.setCompilerOptions({
      target: typescript.ScriptTarget.ESNext,
      module: typescript.ModuleKind.ESNext,
      moduleResolution: typescript.ModuleResolutionKind.NodeJs,
      lib: ["esnext", "webworker", "webworker.iterable"],
      allowJs: true,
      allowNonTsExtensions: true,
      allowSyntheticDefaultImports: true,
    });
    defaults.setDiagnosticsOptions({ diagnosticCodesToIgnore: [...UNKNOWABLE, ...ALLOWED_HERE] });
    defaults.addExtraLib(clocheTypes, "file:///cloche/cloche.d.ts");
    defaults.addExtraLib(SCRIPT_GLOBALS, "file:///cloche/globals.d.ts");
    defaults.setEagerModelSync(true); // imports between the files of a function
  }
  registerCompletions(monaco);
  defineThemes();
  return monaco;
}

function defineThemes(): void {
  monaco.editor.defineTheme("cloche-light", {
    base: "vs",
    inherit: true,
    rules: [{ token: "comment", foreground: "3a6248" }], // 4.5 : 1 on the green of an added line, too
    colors: {
      ...{ "editor.background": "#ffffff", "editorLineNumber.foreground": "#6b7773", focusBorder: "#0b7562" },
      ...{ "diffEditor.insertedTextBackground": "#2fb0912e", "diffEditor.insertedLineBackground": "#2fb0911a" },
      ...{ "diffEditor.removedTextBackground": "#b4231824", "diffEditor.removedLineBackground": "#b4231812" },
    },
  });
  monaco.editor.defineTheme("cloche-dark", {
    base: "vs-dark",
    inherit: true,
    rules: [{ token: "comment", foreground: "a9cfb1" }],
    colors: {
      ...{ "editor.background": "#181f1c", "editorLineNumber.foreground": "#8b9994", focusBorder: "#4dc7a5" },
      ...{ "diffEditor.insertedTextBackground": "#4dc7a52e", "diffEditor.insertedLineBackground": "#4dc7a51a" },
      ...{ "diffEditor.removedTextBackground": "#ff8a7a2e", "diffEditor.removedLineBackground": "#ff8a7a1a" },
    },
  });
}

const BY_ENDING: Readonly<Record<string, string>> = {
  ...{ ts: "typescript", mts: "typescript", cts: "typescript", tsx: "typescript" },
  ...{ js: "javascript", mjs: "javascript", cjs: "javascript", jsx: "javascript", json: "javascript" },
  ...{ py: "python", lua: "lua", go: "go", html: "html", css: "css", md: "markdown", sql: "sql" },
};

/** The editor's name for the language of a file. A bare script may have no ending: then it is the function's. */
export function languageOf(path: string, language: string): string {
  const ending = /\.(\w+)$/.exec(path)?.[1] ?? "";
  return BY_ENDING[ending] ?? (ending === "" ? language : "plaintext");
}
