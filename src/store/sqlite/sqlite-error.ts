/** SQLite's primary result codes that we tell apart. Source: https://sqlite.org/rescode.html */
export const SQLITE = { BUSY: 5, CORRUPT: 11, CANTOPEN: 14, NOTADB: 26 } as const;

/** The primary result code of an error thrown by node:sqlite; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return error.errcode & 0xff; // the higher bits hold the extended code
}
