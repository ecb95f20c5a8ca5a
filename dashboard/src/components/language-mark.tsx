import classes from "./language-mark.module.css";

const NAMES: Readonly<Record<string, { readonly name: string; readonly short: string }>> = {
  javascript: { name: "JavaScript", short: "JS" },
  typescript: { name: "TypeScript", short: "TS" },
  python: { name: "Python", short: "Py" },
  lua: { name: "Lua", short: "Lua" },
  go: { name: "Go", short: "Go" },
  wasm: { name: "WebAssembly", short: "Wa" },
  native: { name: "Native", short: "Bin" },
};

/** As people write it. */
export function languageName(language: string): string {
  return NAMES[language]?.name ?? language;
}

/** A small mark with the language's initials, and its name beside it or as a title. */
export function LanguageMark({ language, withName = false }: { language: string; withName?: boolean }) {
  const { name, short } = NAMES[language] ?? { name: language, short: language.slice(0, 3) };
  return (
    <span className={classes.both} title={withName ? undefined : name}>
      <span className={classes.mark} aria-hidden={withName}>
        {short}
      </span>
      {withName ? name : <span className="visually-hidden">{name}</span>}
    </span>
  );
}
