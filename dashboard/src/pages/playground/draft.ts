// What is being written: it survives a reload, and fits into a link.
import { EXAMPLE_INPUT, EXAMPLES, LANGUAGES, type ScriptLanguage } from "./examples.ts";

export interface Draft {
  readonly language: ScriptLanguage;
  readonly code: string;
  /** JSON; blank: none. */
  readonly input: string;
}

const STORED = "cloche-playground";
const FRAGMENT = "#code=";
const MAX_CHARS = 2_000_000; // of a link's code: a few compressed bytes can be gigabytes

export function exampleDraft(language: ScriptLanguage): Draft {
  return { language, code: EXAMPLES[language], input: EXAMPLE_INPUT };
}

export function storedDraft(): Draft {
  try {
    return draftOf(JSON.parse(localStorage.getItem(STORED) ?? "null")) ?? exampleDraft("javascript");
  } catch {
    return exampleDraft("javascript");
  }
}

export function storeDraft(draft: Draft): void {
  try {
    localStorage.setItem(STORED, JSON.stringify(draft));
  } catch {
    // The browser's store is full or forbidden: the draft lives as long as the page.
  }
}

export function hasSharedDraft(): boolean {
  return window.location.hash.startsWith(FRAGMENT);
}

/** The address of this page with the draft in its fragment, which no browser sends to a server. */
export async function shareLink(draft: Draft): Promise<string> {
  const json = new Blob([JSON.stringify(draft)]);
  const packed = new Response(json.stream().pipeThrough(new CompressionStream("deflate-raw")));
  const bytes = new Uint8Array(await packed.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const text = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${window.location.origin}${window.location.pathname}${FRAGMENT}${text}`;
}

/** @returns undefined where the fragment holds no draft, or a damaged one */
export async function sharedDraft(fragment: string): Promise<Draft | undefined> {
  if (!fragment.startsWith(FRAGMENT)) return undefined;
  try {
    const binary = atob(fragment.slice(FRAGMENT.length).replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const reader = unpacked.pipeThrough(new TextDecoderStream()).getReader();
    let json = "";
    for (;;) {
      const { done, value = "" } = await reader.read();
      json += value;
      if (json.length > MAX_CHARS) {
        await reader.cancel();
        return undefined;
      }
      if (done) return draftOf(JSON.parse(json));
    }
  } catch {
    return undefined;
  }
}

/** Takes the code out of the address: it is no longer what is shown. */
export function forgetFragment(): void {
  if (!hasSharedDraft()) return;
  window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
}

function draftOf(value: unknown): Draft | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { language, code, input } = value as Record<string, unknown>;
  const known = LANGUAGES.find((item) => item === language);
  if (known === undefined || typeof code !== "string" || typeof input !== "string") return undefined;
  return { language: known, code, input };
}
