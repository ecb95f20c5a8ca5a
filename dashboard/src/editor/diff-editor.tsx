import { useComputedColorScheme } from "@mantine/core";
import type * as Monaco from "monaco-editor/editor";
import { useEffect, useRef, useState } from "react";
import classes from "./editor.module.css";
import { languageOf, loadMonaco } from "./monaco.ts";

export interface DiffEditorProps {
  readonly path: string;
  readonly language: string;
  readonly before: string;
  readonly after: string;
  readonly label: string;
}

/** Two texts side by side, or one below the other where there is no room. Both can only be read. */
export default function DiffEditor({ path, language, before, after, label }: DiffEditorProps) {
  const theme = useComputedColorScheme() === "dark" ? "cloche-dark" : "cloche-light";
  const host = useRef<HTMLDivElement>(null);
  const [monaco, setMonaco] = useState<typeof Monaco>();
  const [fault, setFault] = useState<unknown>();

  useEffect(() => void loadMonaco().then(setMonaco, setFault), []);
  useEffect(() => {
    if (monaco === undefined || host.current === null) return undefined;
    const kind = languageOf(path, language);
    const editor = monaco.editor.createDiffEditor(host.current, {
      ...{ readOnly: true, originalEditable: false, automaticLayout: true, scrollBeyondLastLine: false, fontSize: 13 },
      ...{ minimap: { enabled: false }, renderSideBySide: true, useInlineViewWhenSpaceIsLimited: true },
      ...{ editContext: false, hideUnchangedRegions: { enabled: true }, renderOverviewRuler: false },
      scrollbar: { alwaysConsumeMouseWheel: false },
    });
    const original = monaco.editor.createModel(before, kind);
    const modified = monaco.editor.createModel(after, kind);
    editor.setModel({ original, modified });
    // Its own options name the parts only where the labels are generated.
    editor.getOriginalEditor().updateOptions({ ariaLabel: `${label} −` });
    editor.getModifiedEditor().updateOptions({ ariaLabel: `${label} +` });
    return () => {
      editor.dispose();
      original.dispose();
      modified.dispose();
    };
  }, [monaco, path, language, before, after, label]);
  useEffect(() => monaco?.editor.setTheme(theme), [monaco, theme]);

  if (fault !== undefined) throw fault;
  return (
    <div className={classes.frame} data-editor={monaco === undefined ? "loading" : "ready"}>
      <div ref={host} className={classes.host} />
    </div>
  );
}
