import { Alert, Button, Group, Kbd, Text, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { call } from "../../api/client.ts";
import { jsonFault, showJson } from "../../api/exact-json.ts";
import { keys, useMay } from "../../api/queries.ts";
import type { FunctionWithAll } from "../../api/schema.ts";
import { IconPlay, IconUpload } from "../../components/icons.ts";
import { PageLoading } from "../../components/page.tsx";
import { toastDone, toastFault } from "../../components/toast.tsx";
import type { Problem } from "../../editor/code-editor.tsx";
import { functionMessages } from "../../messages/function.ts";
import { FileBar } from "./file-bar.tsx";
import classes from "./function.module.css";
import { usePastEvent } from "./past-event.ts";
import { problemOf, type Rejection, rejectionOf } from "./problems.ts";
import { RunResult } from "./run-result.tsx";
import { useRun } from "./use-run.ts";
import { deployable, useWorkingCopy } from "./working-copy.ts";

const CodeEditor = lazy(() => import("../../editor/code-editor.tsx"));
const WITHOUT_TEXT = new Set(["native", "wasm"]);

/** Write, deploy, run, and see what came of it, on one page. */
export default function CodeTab({ stored }: { stored: FunctionWithAll }) {
  const text = functionMessages.use();
  const queries = useQueryClient();
  const mayDeploy = useMay("deploy");
  const work = useWorkingCopy(stored);
  const { code } = work;
  const [chosen, setChosen] = useState(code.entry);
  const path = chosen in code.files ? chosen : code.entry;
  const [input, setInput] = useInput(stored.id);
  usePastEvent((event) => setInput(typeof event === "string" ? JSON.stringify(event) : showJson(event)));
  const [rejection, setRejection] = useState<Rejection>();
  const [ranInto, setRanInto] = useState<readonly Problem[]>([]);
  const [isDeploying, setIsDeploying] = useState(false);
  const run = useRun(stored.id);
  const inputFault = jsonFault(input);
  const hasNoText = WITHOUT_TEXT.has(stored.language ?? "");
  const problems = rejection?.problems ?? ranInto;

  /** @returns whether what is written is what is live */
  async function deploy(): Promise<boolean> {
    if (!work.isChanged && stored.activeVersion !== undefined) {
      toastDone(text.unchanged);
      return true;
    }
    setIsDeploying(true);
    const before = stored.activeVersion;
    try {
      const body = { ...deployable(code, stored.version), ...(stored.language ? { language: stored.language } : {}) };
      const made = await call("createVersion", { params: { id: stored.id }, body });
      setRejection(undefined);
      setRanInto([]);
      await queries.invalidateQueries({ queryKey: keys.function(stored.name) });
      void queries.invalidateQueries({ queryKey: keys.functions });
      work.saved();
      const undo = async (version: number): Promise<void> => {
        await call("activateVersion", { params: { id: stored.id, version } });
        await queries.invalidateQueries({ queryKey: keys.function(stored.name) });
      };
      toastDone(text.deployed(made.version), before === undefined ? undefined : () => undo(before));
      return true;
    } catch (error) {
      const found = rejectionOf(error, code.entry, Object.keys(code.files));
      setRejection(found);
      if (found === undefined) toastFault(error);
      else if (found.problems[0] !== undefined) setChosen(found.problems[0].path);
      return false;
    } finally {
      setIsDeploying(false);
    }
  }

  async function start(): Promise<void> {
    if (isDeploying || inputFault !== undefined) return;
    if (work.isChanged && mayDeploy && !(await deploy())) return;
    setRanInto([]);
    const state = await run.start(input);
    if (state.phase === "done") setRanInto(problemOf(state.result, code.entry));
  }

  return (
    <>
      {work.isRestored || work.isOutdated ? (
        <Alert mb="md" variant="light" color={work.isOutdated ? "yellow" : "glass"}>
          <Group justify="space-between">
            <Text size="sm">{work.isOutdated ? text.outdated : text.restored}</Text>
            <Button size="compact-sm" variant="default" onClick={work.discard}>
              {text.discard}
            </Button>
          </Group>
        </Alert>
      ) : null}
      <div className={classes.workplace}>
        <div className={`card ${classes.editorCard}`}>
          <div className={classes.bar}>
            <FileBar
              {...{ code, path, problems, canChange: mayDeploy && !hasNoText, onChoose: setChosen }}
              onChange={work.change}
            />
            {work.isChanged ? (
              <Text size="xs" c="var(--cloche-warn)" px="xs">
                {text.unsaved}
              </Text>
            ) : null}
            {mayDeploy && !hasNoText ? (
              <Button
                size="compact-sm"
                variant={work.isChanged ? "filled" : "default"}
                leftSection={<IconUpload size={14} />}
                loading={isDeploying}
                onClick={() => void deploy()}
              >
                {text.deploy}
              </Button>
            ) : null}
          </div>
          <div className={classes.editorBody}>
            {hasNoText ? (
              <Text p="md">{text.binary}</Text>
            ) : (
              <Suspense fallback={<PageLoading />}>
                <CodeEditor
                  {...{ path, problems }}
                  files={code.files}
                  language={stored.language ?? "javascript"}
                  label={text.editor}
                  readOnly={!mayDeploy}
                  onChange={(changed, now) => {
                    setRejection(undefined);
                    setRanInto([]);
                    work.change({ ...code, files: { ...code.files, [changed]: now } });
                  }}
                  onSave={() => void deploy()}
                  onRun={() => void start()}
                />
              </Suspense>
            )}
          </div>
          <Problems {...{ problems, rejection, onChoose: setChosen }} />
          <div className={classes.hint}>{mayDeploy ? text.editorHint : text.readOnly}</div>
        </div>
        <div className={`card ${classes.side}`}>
          <Textarea
            label={text.input}
            description={text.inputHint}
            value={input}
            onChange={({ currentTarget }) => setInput(currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void start();
            }}
            error={inputFault === undefined ? undefined : text.notJson(inputFault)}
            autosize
            minRows={2}
            maxRows={12}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "0.8125rem" } }}
          />
          <Group gap="xs">
            <Button
              leftSection={<IconPlay size={16} />}
              rightSection={<Kbd size="xs">Ctrl ↵</Kbd>}
              onClick={() => void start()}
              disabled={inputFault !== undefined || stored.disabled}
              loading={run.state.phase === "running" || isDeploying}
            >
              {work.isChanged && mayDeploy ? text.deployAndRun : text.run}
            </Button>
            {run.state.phase === "running" ? (
              <Button variant="default" onClick={run.stop}>
                {text.stop}
              </Button>
            ) : null}
          </Group>
          <RunResult state={run.state} />
        </div>
      </div>
    </>
  );
}

/** What the function is called with is kept for the next visit. */
function useInput(functionId: string): [string, (text: string) => void] {
  const key = `cloche-input:${functionId}`;
  const [input, setInput] = useState(() => localStorage.getItem(key) ?? "{}");
  return [
    input,
    (now) => {
      setInput(now);
      localStorage.setItem(key, now);
    },
  ];
}

interface ProblemsProps {
  readonly problems: readonly Problem[];
  readonly rejection: Rejection | undefined;
  readonly onChoose: (path: string) => void;
}

function Problems({ problems, rejection, onChoose }: ProblemsProps) {
  const text = functionMessages.use();
  if (problems.length === 0 && rejection === undefined) return null;
  return (
    <section className={classes.problems} aria-label={text.problems} role="alert">
      {problems.length === 0 ? <p>{rejection?.message}</p> : null}
      <ul>
        {problems.map(({ path, line, message }) => (
          <li key={`${path}:${line}:${message}`}>
            <button type="button" onClick={() => onChoose(path)}>
              {path} · {text.line(line)}: {message}
            </button>
          </li>
        ))}
      </ul>
      {rejection?.tip === undefined ? null : <p>{text.tip(rejection.tip)}</p>}
      {rejection?.output === undefined ? null : (
        <details>
          <summary>{text.compilerOutput}</summary>
          <pre>{rejection.output}</pre>
        </details>
      )}
    </section>
  );
}
