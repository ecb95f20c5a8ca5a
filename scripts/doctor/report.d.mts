import type { Finding } from "./examine.mjs";

export interface ReportOptions {
  readonly colour: boolean;
  /** False where commands that need root are to be shown with sudo. */
  readonly asRoot: boolean;
}

/** The findings for people to read, closed by `N ok, N warnings, N problems`. */
export function report(findings: readonly Finding[], options: ReportOptions): string;
