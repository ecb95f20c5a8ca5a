// What has just happened, in a corner, and the way back where there is one.
import { lazy, Suspense, useSyncExternalStore } from "react";

/** Long enough to read it and to change one's mind. */
export const UNDO_MS = 8_000;

const ToastArea = lazy(() => import("./toasts.tsx"));
let isWanted = false;
const listeners = new Set<() => void>();

/** Where they appear; once in the app. */
export function Toasts() {
  const isShown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isWanted,
  );
  return isShown ? (
    <Suspense>
      <ToastArea />
    </Suspense>
  ) : null;
}

/** Says that `message` was done. `undo` takes it back; what it throws is told, too. */
export function toastDone(message: string, undo?: () => Promise<unknown>): void {
  void load().then((toasts) => toasts.showDone(message, undo));
}

/** Says what went wrong. A login that is missing leads to its page, and needs no word here. */
export function toastFault(fault: unknown): void {
  void load().then((toasts) => toasts.showFault(fault));
}

function load(): Promise<typeof import("./toasts.tsx")> {
  isWanted = true;
  for (const listener of listeners) listener();
  return import("./toasts.tsx");
}

/**
 * For what the server cannot take back: says that it was done, and does it when the time to undo is over, at the latest
 * when the page goes.
 *
 * @param undone shows again what was hidden
 */
export function toastDeferred(message: string, act: () => Promise<unknown>, undone: () => void): void {
  let isPending = true;
  const finish = (): void => {
    if (!isPending) return;
    isPending = false;
    window.removeEventListener("pagehide", finish);
    void act().catch((error: unknown) => {
      undone();
      toastFault(error);
    });
  };
  const timer = window.setTimeout(finish, UNDO_MS);
  window.addEventListener("pagehide", finish);
  toastDone(message, async () => {
    if (!isPending) return;
    isPending = false;
    window.clearTimeout(timer);
    window.removeEventListener("pagehide", finish);
    undone();
  });
}
