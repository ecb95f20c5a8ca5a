/** How one run ended. A user's bug is our normal day, so it is a value and never thrown. */
export type Outcome =
  /** `json` is the returned value as JSON text, undefined where nothing was returned. */
  | { readonly kind: "ok"; readonly json: string | undefined }
  /** The code answered an HTTP request itself. */
  | { readonly kind: "responded"; readonly status: number }
  /** The code threw. `stack` shows the user's own files only and starts with `name: message`. */
  | {
      readonly kind: "failed";
      readonly name: string;
      readonly message: string;
      readonly stack: string;
      /** Of the main file, counted from 1. */
      readonly line?: number | undefined;
      /** What usually helps. */
      readonly tip?: string | undefined;
    }
  /** The code ended its process itself with an exit code other than 0. */
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "timed-out"; readonly limitMs: number }
  | { readonly kind: "out-of-memory"; readonly limitBytes: number }
  /** More was printed or returned than `limitBytes`. */
  | { readonly kind: "output-limit"; readonly limitBytes: number }
  /** The process died of something that was none of the above, or broke the wire protocol. */
  | { readonly kind: "crashed"; readonly detail: string }
  /** The caller went away. */
  | { readonly kind: "cancelled" };
