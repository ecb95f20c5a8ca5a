import { useComputedColorScheme } from "@mantine/core";
import type * as Monaco from "monaco-editor/editor";
import { useEffect, useRef, useState } from "react";
import { PageLoading } from "../components/page.tsx";
import classes from "./editor.module.css";
import { languageOf, loadMonaco } from "./monaco.ts";

/** What is wrong with a line. */
export interface Problem {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface CodeEditorProps {
  /** Texts by path. */
  readonly files: Readonly<Record<string, string>>;
  /** The file that is shown. */
  readonly path: string;
  readonly language: string;
  /** For screen readers. */
  readonly label: string;
  readonly problems?: readonly Problem[];
  readonly readOnly?: boolean;
  readonly onChange?: (path: string, text: string) => void;
  /** Ctrl-S, and Ctrl-Enter. */
  readonly onSave?: () => void;
  readonly onRun?: () => void;
}

/**
 * The editor with all files of a function, each with its own cursor and its own undo. The text belongs to the caller. Tab
 * indents; Ctrl-M makes it move the focus.
 */
export default function CodeEditor(props: CodeEditorProps) {
  const { files, path, language, label, problems = [], readOnly = false } = props;
  const theme = useComputedColorScheme() === "dark" ? "cloche-dark" : "cloche-light";
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  const views = useRef(new Map<string, Monaco.editor.ICodeEditorViewState | null>());
  const [open, setOpen] = useState<{ monaco: typeof Monaco; editor: Monaco.editor.IStandaloneCodeEditor }>();
  const [fault, setFault] = useState<unknown>();
  latest.current = props;

  useEffect(() => {
    let isGone = false;
    let editor: Monaco.editor.IStandaloneCodeEditor | undefined;
    const start = async (): Promise<void> => {
      const monaco = await loadMonaco();
      if (isGone || host.current === null) return;
      editor = monaco.editor.create(host.current, { ...OPTIONS, ariaLabel: latest.current.label, model: null });
      const { CtrlCmd } = monaco.KeyMod;
      editor.addCommand(CtrlCmd | monaco.KeyCode.KeyS, () => latest.current.onSave?.());
      editor.addCommand(CtrlCmd | monaco.KeyCode.Enter, () => latest.current.onRun?.());
      setOpen({ monaco, editor });
    };
    const disposeModels = async (): Promise<void> => {
      const monaco = await loadMonaco();
      for (const model of monaco.editor.getModels()) if (model.uri.scheme === "file") model.dispose();
    };
    void start().catch(setFault);
    return () => {
      isGone = true;
      editor?.dispose();
      void disposeModels();
    };
  }, []);

  // The editor's files are those of the caller, with the same text.
  useEffect(() => {
    if (open === undefined) return;
    const { monaco } = open;
    const wanted = new Map(Object.keys(files).map((name) => [uriOf(monaco, name, language).toString(), name]));
    for (const model of monaco.editor.getModels()) {
      if (model.uri.scheme === "file" && !wanted.has(model.uri.toString())) model.dispose();
    }
    for (const name of wanted.values()) {
      const text = files[name] ?? "";
      const uri = uriOf(monaco, name, language);
      const model = monaco.editor.getModel(uri);
      if (model === null) {
        const made = monaco.editor.createModel(text, languageOf(name, language), uri);
        made.onDidChangeContent(() => {
          const now = made.getValue();
          if (now !== latest.current.files[name]) latest.current.onChange?.(name, now);
        });
      } else if (model.getValue() !== text) {
        model.pushEditOperations([], [{ range: model.getFullModelRange(), text }], () => null);
      }
    }
  }, [open, files, language]);

  useEffect(() => {
    if (open === undefined) return undefined;
    const { monaco, editor } = open;
    editor.setModel(monaco.editor.getModel(uriOf(monaco, path, language)));
    const view = views.current.get(path);
    if (view !== undefined) editor.restoreViewState(view);
    const seen = views.current;
    return () => void seen.set(path, editor.saveViewState());
  }, [open, path, language]);

  useEffect(() => {
    open?.monaco.editor.setTheme(theme);
    open?.editor.updateOptions({ readOnly, ariaLabel: label });
  }, [open, theme, readOnly, label]);

  useEffect(() => {
    if (open === undefined) return;
    const { monaco, editor } = open;
    for (const model of monaco.editor.getModels()) {
      const own = problems.filter(
        (problem) => uriOf(monaco, problem.path, language).toString() === model.uri.toString(),
      );
      const markers = own.map(({ line, message }) => {
        const at = Math.min(Math.max(line, 1), model.getLineCount());
        return {
          message,
          severity: monaco.MarkerSeverity.Error,
          startLineNumber: at,
          endLineNumber: at,
          startColumn: model.getLineFirstNonWhitespaceColumn(at) || 1,
          endColumn: model.getLineMaxColumn(at),
        };
      });
      monaco.editor.setModelMarkers(model, "cloche", markers);
    }
    const here = problems.find((problem) => problem.path === path);
    if (here !== undefined) editor.revealLineInCenterIfOutsideViewport(here.line);
  }, [open, problems, path, language]);

  if (fault !== undefined) throw fault;
  return (
    <div className={classes.frame} data-editor={open === undefined ? "loading" : "ready"}>
      {open === undefined ? <PageLoading /> : null}
      <div ref={host} className={classes.host} />
    </div>
  );
}

const OPTIONS: Monaco.editor.IStandaloneEditorConstructionOptions = {
  automaticLayout: true,
  minimap: { enabled: false },
  fontSize: 13.5,
  lineNumbersMinChars: 3,
  scrollBeyondLastLine: false,
  fixedOverflowWidgets: true,
  tabSize: 2,
  padding: { top: 10, bottom: 10 },
  // The shortcuts of the page know by the field that somebody is typing.
  editContext: false,
  scrollbar: { alwaysConsumeMouseWheel: false },
  renderLineHighlight: "line",
  stickyScroll: { enabled: false },
  wordBasedSuggestions: "currentDocument",
};

function uriOf(monaco: typeof Monaco, path: string, language: string): Monaco.Uri {
  const ending = path.includes(".") ? "" : language === "typescript" ? ".ts" : language === "javascript" ? ".js" : "";
  return monaco.Uri.file(`/function/${path}${ending}`);
}
