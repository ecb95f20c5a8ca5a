// Addresses of pages, below /ui: each one can be sent to somebody, and the back button leads to the one before.
import { useSearchParams } from "wouter";

export const BASE = "/ui";

/** Names of functions have slashes: they are one part of the address all the same. */
export const paths = {
  home: "/",
  functions: "/functions",
  newFunction: (template?: string) =>
    template === undefined ? "/new" : `/new?template=${encodeURIComponent(template)}`,
  function: (name: string, tab?: string) =>
    `/functions/${encodeURIComponent(name)}${tab === undefined ? "" : `/${encodeURIComponent(tab)}`}`,
  playground: "/playground",
  executions: "/executions",
  execution: (id: string) => `/executions/${encodeURIComponent(id)}`,
  jobs: "/jobs",
  job: (id: string) => `/jobs/${encodeURIComponent(id)}`,
  system: (section?: string) => (section === undefined ? "/system" : `/system/${section}`),
  login: (next?: string) => (next === undefined ? "/login" : `/login?next=${encodeURIComponent(next)}`),
} as const;

/**
 * A part of the query as state, so that a filter is in the address. `""` takes it out. It replaces the entry in the
 * history: typing a word is not ten steps to go back.
 */
export function useQueryState(name: string): [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams();
  return [
    search.get(name) ?? "",
    (value) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === "") after.delete(name);
          else after.set(name, value);
          return after;
        },
        { replace: true },
      ),
  ];
}
