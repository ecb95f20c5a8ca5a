// Any code, now: write, run, look, share, keep.
import { Alert, Button, Group, NativeSelect, Text, Textarea } from "@mantine/core";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useMay, useSystem } from "../../api/queries.ts";
import { copyText } from "../../components/copy-text.ts";
import { IconClose, IconPlay } from "../../components/icons.ts";
import { languageName } from "../../components/language-mark.tsx";
import { Page, PageLoading } from "../../components/page.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import { playgroundMessages } from "../../messages/playground.ts";
import {
  type Draft,
  exampleDraft,
  forgetFragment,
  hasSharedDraft,
  shareLink,
  sharedDraft,
  storeDraft,
  storedDraft,
} from "./draft.ts";
import { EXAMPLES, FILE_NAMES, LANGUAGES, type ScriptLanguage } from "./examples.ts";
import { Output } from "./output.tsx";
import classes from "./playground.module.css";
import { SaveDialog } from "./save-dialog.tsx";
import { useRunNow } from "./use-run-now.ts";

const CodeEditor = lazy(() => import("../../editor/code-editor.tsx"));

export default function PlaygroundPage() {
  const text = playgroundMessages.use();
  const { draft, isShared, change } = useDraft();
  const [isSaving, setIsSaving] = useState(false);
  const mayDeploy = useMay("deploy");
  const state = useRunNow();
  const { scripts, others } = useLanguages();
  const { language, code, input } = draft;
  const inputFault = faultOf(input);
  const canRun = mayDeploy && code.trim() !== "" && inputFault === undefined;
  const run = (): void => {
    if (canRun && !state.isRunning) state.run(draft);
  };
  useRunKey(run);

  const share = async (): Promise<void> => {
    const link = await shareLink(draft);
    window.history.replaceState(window.history.state, "", link);
    try {
      await copyText(link);
      toastDone(text.shared);
    } catch {
      toastDone(text.sharedInBar);
    }
  };
  const choose = (next: ScriptLanguage): void =>
    change(
      code === EXAMPLES[language] || code.trim() === ""
        ? { ...draft, language: next, code: EXAMPLES[next] }
        : { ...draft, language: next },
    );
  const reset = (): void => {
    change(exampleDraft(language));
    toastDone(text.wasReset, async () => change(draft));
  };

  const line = state.outcome?.kind === "error" ? state.outcome.line : undefined;
  const file = FILE_NAMES[language];
  return (
    <Page
      title={text.title}
      description={text.description}
      actions={
        <>
          <Button variant="default" onClick={() => void share()}>
            {text.share}
          </Button>
          <Button variant="default" disabled={!mayDeploy} onClick={() => setIsSaving(true)}>
            {text.save}
          </Button>
        </>
      }
    >
      {mayDeploy ? null : <Alert mb="md">{text.noRight}</Alert>}
      {isShared ? (
        <Alert mb="md" color="yellow" role="status">
          {text.openedShared}
        </Alert>
      ) : null}
      <div className={classes.sides}>
        <div>
          <Group mb="xs" justify="space-between">
            <NativeSelect
              aria-label={text.language}
              w="13rem"
              value={language}
              onChange={({ currentTarget }) => choose(currentTarget.value as ScriptLanguage)}
              data={[
                ...scripts.map((value) => ({ value, label: languageName(value) })),
                ...others.map((value) => ({ value, label: text.asFunction(languageName(value)), disabled: true })),
              ]}
            />
            <Group gap="xs">
              <Button variant="subtle" color="gray" onClick={reset}>
                {text.reset}
              </Button>
              {state.isRunning ? (
                <Button color="red" variant="light" leftSection={<IconClose size={16} />} onClick={state.stop}>
                  {text.stop}
                </Button>
              ) : (
                <Button leftSection={<IconPlay size={16} />} onClick={run} disabled={!canRun} title="Ctrl-Enter">
                  {text.run}
                </Button>
              )}
            </Group>
          </Group>
          <div className={`card ${classes.editor}`}>
            <Suspense fallback={<PageLoading />}>
              <CodeEditor
                key={language}
                files={{ [file]: code }}
                path={file}
                language={language}
                label={text.code}
                problems={
                  line === undefined || state.outcome?.kind !== "error"
                    ? []
                    : [{ path: file, line, message: state.outcome.message.split("\n")[0] ?? "" }]
                }
                onChange={(_path, next) => change({ ...draft, code: next })}
                onRun={run}
              />
            </Suspense>
          </div>
          <Text size="xs" c="dimmed" mt={6}>
            {text.editorHint}
            {others.length === 0 ? null : ` ${text.othersHint(others.map(languageName).join(", "))}`}
          </Text>
        </div>
        <div>
          <Textarea
            label={text.input}
            description={text.inputHint}
            value={input}
            onChange={({ currentTarget }) => change({ ...draft, input: currentTarget.value })}
            error={inputFault === undefined ? undefined : text.inputFault(inputFault)}
            rows={4}
            spellCheck={false}
            classNames={{ input: classes.input }}
            mb="lg"
          />
          <Output state={state} />
        </div>
      </div>
      <SaveDialog draft={draft} isOpen={isSaving} onClose={() => setIsSaving(false)} />
    </Page>
  );
}

interface DraftState {
  readonly draft: Draft;
  /** True while it is somebody else's, as it was in the link. */
  readonly isShared: boolean;
  change(draft: Draft): void;
}

function useDraft(): DraftState {
  const [draft, setDraft] = useState(storedDraft);
  const [isShared, setIsShared] = useState(false);
  const change = (next: Draft): void => {
    setDraft(next);
    setIsShared(false);
    storeDraft(next);
    forgetFragment(); // it was of another code
  };
  useEffect(() => {
    const open = async (): Promise<void> => {
      if (!hasSharedDraft()) return;
      const shared = await sharedDraft(window.location.hash);
      if (shared === undefined) {
        toastFault(new Error(playgroundMessages.now().badLink));
        return;
      }
      // One's own draft stays stored until this one is changed.
      setDraft(shared);
      setIsShared(true);
    };
    void open();
    const onHash = (): void => void open();
    window.addEventListener("hashchange", onHash);
    return () => window.removeEventListener("hashchange", onHash);
  }, []);
  return { draft, isShared, change };
}

/** Those that are installed; all scripts while nobody knows yet. What is built or uploaded first can only be a function. */
function useLanguages(): { readonly scripts: readonly ScriptLanguage[]; readonly others: readonly string[] } {
  const { data } = useSystem(false);
  if (data === undefined) return { scripts: LANGUAGES, others: [] };
  const installed = data.runtimes.filter(({ found }) => found).flatMap(({ languages }) => languages);
  const scripts = LANGUAGES.filter((language) => installed.includes(language));
  return { scripts, others: installed.filter((language) => !scripts.some((script) => script === language)) };
}

/** Ctrl-Enter runs wherever the focus is; the editor tells of its own. */
function useRunKey(run: () => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

function faultOf(input: string): string | undefined {
  if (input.trim() === "") return undefined;
  try {
    JSON.parse(input);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
