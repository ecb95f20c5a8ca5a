import { type Language, languageNow, useLanguage } from "./language.ts";

/** The same keys in another language; a message with parts is a function of them. */
export type Translation<English> = {
  readonly [Key in keyof English]: English[Key] extends (...parts: infer Parts) => string
    ? (...parts: Parts) => string
    : string;
};

export interface Messages<English> {
  /** For components. */
  readonly use: () => Translation<English>;
  /** For everything else; the language of this moment. */
  readonly now: () => Translation<English>;
}

/** The messages of one area. TypeScript refuses a translation that lacks one of them. */
export function messages<English>(en: Translation<English> & English, zh: Translation<English>): Messages<English> {
  const all: Readonly<Record<Language, Translation<English>>> = { en, zh };
  return {
    use: () => all[useLanguage()],
    now: () => all[languageNow()],
  };
}
