import type { IncomingMessage } from "node:http";

export const SESSION_COOKIE = "cloche_session";
/** Only there does a browser send it. */
const PATH = "/api";

/** The session that a browser brings; undefined where it brings none. */
export function sessionCookie({ headers: { cookie = "" } }: IncomingMessage): string | undefined {
  for (const pair of cookie.split(";")) {
    const [name = "", value = ""] = pair.split("=", 2);
    if (name.trim() === SESSION_COOKIE && value.trim() !== "") return value.trim();
  }
  return undefined;
}

/** For `Set-Cookie`. No script can read it, and no page of another site has it sent along. */
export function setSession(cookie: string, maxAgeMs: number, isEncrypted: boolean): string {
  const secure = isEncrypted ? "; Secure" : "";
  return `${SESSION_COOKIE}=${cookie}; Path=${PATH}; Max-Age=${Math.floor(maxAgeMs / 1000)}; HttpOnly; SameSite=Strict${secure}`;
}

export function clearSession(isEncrypted: boolean): string {
  return setSession("", 0, isEncrypted);
}
