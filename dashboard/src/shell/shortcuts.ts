// Keys that work wherever nobody is typing: `g` and a letter goes to a page, `/` into the page's search, `?` shows them all.
import { useEffect } from "react";
import { useLocation } from "wouter";
import { paths } from "../router.ts";
import { NAVIGATION } from "./navigation.ts";

const SECOND_KEY_MS = 1200;

export function useShortcuts(openHelp: () => void): void {
  const [, navigate] = useLocation();
  useEffect(() => {
    let goPressedAtMs = -Infinity;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const isSecond = performance.now() - goPressedAtMs < SECOND_KEY_MS;
      goPressedAtMs = -Infinity;
      if (isSecond) {
        const target = NAVIGATION.find(({ letter }) => letter === event.key);
        if (target !== undefined) navigate(target.path);
        else if (event.key === "n") navigate(paths.newFunction());
        return;
      }
      if (event.key === "g") goPressedAtMs = performance.now();
      else if (event.key === "?") openHelp();
      else if (event.key === "/") {
        const field = document.querySelector<HTMLElement>("main [data-page-search]");
        if (field === null) return;
        event.preventDefault();
        field.focus();
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, openHelp]);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
