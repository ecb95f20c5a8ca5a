// Which language the dashboard speaks: what was chosen, else what the browser prefers.
import { useSyncExternalStore } from "react";

export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;

const STORED = "cloche-language";
const listeners = new Set<() => void>();
let current = initial();
tellThePage();

function initial(): Language {
  const chosen = localStorage.getItem(STORED);
  if (chosen === "en" || chosen === "zh") return chosen;
  return navigator.languages.find((tag) => /^(?:en|zh)\b/i.test(tag))?.startsWith("zh") === true ? "zh" : "en";
}

export function setLanguage(language: Language): void {
  current = language;
  localStorage.setItem(STORED, language);
  tellThePage();
  for (const listener of listeners) listener();
}

/** Screen readers and fonts go by it. */
function tellThePage(): void {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, languageNow);
}

export function languageNow(): Language {
  return current;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
