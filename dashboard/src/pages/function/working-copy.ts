// The code that somebody works on: what is deployed until it is changed, and then what was typed, which outlives the page.
import { useCallback, useEffect, useRef, useState } from "react";
import type { FunctionWithAll, VersionWithCode } from "../../api/schema.ts";

export interface Code {
  /** Texts by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Path of the main file. */
  readonly entry: string;
}

interface Draft extends Code {
  /** The version that it was made from. */
  readonly base: number | undefined;
}

export interface WorkingCopy {
  readonly code: Code;
  readonly isChanged: boolean;
  /** The draft was found when the page was opened. */
  readonly isRestored: boolean;
  /** Another version has become active since the draft was begun. */
  readonly isOutdated: boolean;
  readonly change: (code: Code) => void;
  /** Back to what is deployed. */
  readonly discard: () => void;
  /** What is written is deployed. */
  readonly saved: () => void;
}

const KEPT_AFTER_MS = 300;

const MAIN_FILES: Readonly<Record<string, string>> = {
  ...{ javascript: "index.js", typescript: "index.ts", python: "main.py", lua: "main.lua", go: "main.go" },
};

/** All files of a version; the one of a version without files by its usual name. */
export function codeOf(version: VersionWithCode | undefined, language: string): Code {
  if (version?.files !== undefined) {
    const paths = Object.keys(version.files);
    return { files: version.files, entry: version.entry ?? paths[0] ?? "" };
  }
  const entry = version?.entry ?? MAIN_FILES[version?.language ?? language] ?? "main";
  return { files: { [entry]: version?.code ?? "" }, entry };
}

/** What to send for `code`: a single file with its usual name goes as text. */
export function deployable({ files, entry }: Code, version: VersionWithCode | undefined): object {
  const [only, ...more] = Object.keys(files);
  const isText = version?.files === undefined && more.length === 0 && only === codeOf(version, "").entry;
  return isText ? { code: files[entry] ?? "" } : { files, entry };
}

export function useWorkingCopy({ id, version, language, activeVersion }: FunctionWithAll): WorkingCopy {
  const key = `cloche-draft:${id}`;
  const deployed = codeOf(version, language ?? "");
  const [draft, setDraft] = useState<Draft | undefined>(() => readDraft(key));
  const [isRestored, setIsRestored] = useState(draft !== undefined);
  const isChanged = draft !== undefined && !isSame(draft, deployed);
  const pending = useRef<Draft | undefined>(undefined);

  const keep = useCallback(() => {
    if (pending.current === undefined) return;
    localStorage.setItem(key, JSON.stringify(pending.current));
    pending.current = undefined;
  }, [key]);
  useEffect(() => {
    if (draft === undefined) return undefined;
    pending.current = draft;
    const timer = window.setTimeout(keep, KEPT_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, [draft, keep]);
  useEffect(() => {
    window.addEventListener("pagehide", keep);
    return () => {
      window.removeEventListener("pagehide", keep);
      keep();
    };
  }, [keep]);

  const forget = useCallback(() => {
    pending.current = undefined;
    localStorage.removeItem(key);
    setIsRestored(false);
  }, [key]);
  return {
    code: draft ?? deployed,
    isChanged,
    isRestored: isRestored && isChanged,
    isOutdated: isChanged && draft.base !== activeVersion,
    change: (code) => setDraft({ ...code, base: draft?.base ?? activeVersion }),
    discard: () => {
      forget();
      setDraft(undefined);
    },
    saved: () => {
      forget();
      setDraft(undefined);
    },
  };
}

function isSame(one: Code, other: Code): boolean {
  const paths = Object.keys(one.files);
  return (
    one.entry === other.entry &&
    paths.length === Object.keys(other.files).length &&
    paths.every((path) => one.files[path] === other.files[path])
  );
}

function readDraft(key: string): Draft | undefined {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? undefined : (JSON.parse(kept) as Draft);
  } catch {
    return undefined; // no storage, or written by something else
  }
}
