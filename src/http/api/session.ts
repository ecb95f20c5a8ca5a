import { z } from "zod";
import { SESSION_MS } from "../../services/sessions.ts";
import { clearSession, setSession } from "../session-cookie.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";
import { FAULTS, nothing, scope, time } from "./schemas.ts";
import { isoTime } from "./shapes.ts";

const BODY_BYTES = 4096;
const sessionOut = z
  .object({
    scope,
    via: z.enum(["open", "key", "session"]).describe("open: this server asks nobody for a key"),
    expiresAt: time.optional(),
  })
  .meta({ id: "Session" });

/** Logging in and out of the dashboard. */
export function sessionRoutes(api: Api, { access }: ManagementParts): void {
  api.post("/api/session", {
    config: { scope: "none" },
    bodyLimit: BODY_BYTES,
    schema: {
      operationId: "login",
      summary: "Opens a session with a key: an HttpOnly cookie, good for what the key is good for below /api",
      tags: ["session"],
      body: z.strictObject({ key: z.string({ error: "text is required" }).min(1).max(1000) }),
      response: { 201: sessionOut, ...FAULTS },
    },
    handler: async ({ body, raw }, reply) => {
      const { cookie, holder } = await access.login(raw, body.key);
      void reply.header("Set-Cookie", setSession(cookie, SESSION_MS, access.isEncrypted(raw)));
      return await reply
        .code(201)
        .send({ scope: holder.scope, via: "session", expiresAt: isoTime(holder.expiresAtMs) });
    },
  });

  api.get("/api/session", {
    config: { scope: "any" },
    schema: {
      operationId: "readSession",
      summary: "What the caller may do",
      tags: ["session"],
      response: { 200: sessionOut, ...FAULTS },
    },
    handler: async ({ raw }) => {
      const caller = access.checkManagement(raw, "any");
      const { scope, via, expiresAtMs } = caller ?? { scope: "read", via: "open", expiresAtMs: undefined };
      return { scope, via, expiresAt: expiresAtMs === undefined ? undefined : isoTime(expiresAtMs) };
    },
  });

  api.delete("/api/session", {
    config: { scope: "none" },
    schema: {
      operationId: "logout",
      summary: "Ends the session, if there is one",
      tags: ["session"],
      response: { 204: nothing, ...FAULTS },
    },
    handler: async ({ raw }, reply) => {
      await access.logout(raw);
      void reply.header("Set-Cookie", clearSession(access.isEncrypted(raw)));
      return await reply.code(204).send();
    },
  });
}
