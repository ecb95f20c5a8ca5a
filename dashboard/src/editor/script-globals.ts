/** What JavaScript and TypeScript find without an import. Only what functions use: the whole of Node is not here. */
export const SCRIPT_GLOBALS = `
import type { Context, Json } from "cloche";
declare global {
  /** What the code was called with; of a bare script. */
  const event: any;
  /** The same as event. */
  const input: any;
  /** What the platform tells a bare script about its run. */
  const ctx: Context;
  const process: { readonly env: Readonly<Record<string, string | undefined>>; readonly argv: string[]; cwd(): string };
  const Buffer: any;
  const module: { exports: any };
  const exports: any;
  function require(name: "cloche"): typeof import("cloche");
  function require(name: string): any;
}
export {};
`;
