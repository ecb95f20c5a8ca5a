import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyError } from "fastify";
import { messageOf, PlatformError } from "../../core/errors.ts";
import { addFaultHeaders, sendJson } from "../answer.ts";
import type { Api } from "./management-api.ts";
import type { ManagementParts } from "./parts.ts";

interface KnownRoute {
  readonly methods: readonly string[];
  readonly pattern: RegExp;
}

/** Every fault leaves as `{"error": {code, message, details?}}`. */
export function answerFaults(api: Api, { log, limits }: ManagementParts): void {
  const routes: KnownRoute[] = [];
  api.addHook("onRoute", ({ method, url }) => {
    const pattern = new RegExp(`^${url.replaceAll(".", "\\.").replace(/:\w+/g, "[^/]+")}$`);
    routes.push({ methods: [method].flat(), pattern });
  });

  api.setErrorHandler((error: FastifyError | PlatformError, request, reply) => {
    reply.hijack(); // the framework would cut the connection of a client that still sends, and the answer with it
    answerFault(asFault(error, request.routeOptions.bodyLimit), request.raw, reply.raw);
  });

  api.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/\?.*/s, "");
    const allowed = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
    if (allowed.length === 0) throw new PlatformError("ROUTE_NOT_FOUND", `no route ${path}`);
    reply.raw.setHeader("Allow", allowed.join(", "));
    throw new PlatformError("METHOD_NOT_ALLOWED", `${path} takes ${allowed.join(", ")}, not ${request.method}`);
  });

  function asFault(error: FastifyError | PlatformError, bodyLimit: number | undefined): PlatformError {
    if (error instanceof PlatformError) return error;
    if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
      const setting = bodyLimit === limits.bodyBytes ? ", setting BODY_MAX_SIZE" : "";
      return new PlatformError("BODY_TOO_LARGE", `request body too large (max ${bodyLimit} bytes${setting})`);
    }
    const { statusCode = 500 } = error;
    if (statusCode >= 400 && statusCode < 500) return new PlatformError("INVALID_REQUEST", error.message);
    const cause = error.cause === undefined ? "" : ` caused by: ${messageOf(error.cause)}`;
    log(`internal error: ${error.stack ?? error.message}${cause}`);
    return new PlatformError("INTERNAL", "internal error; the server's log has the details", { cause: error });
  }
}

export function answerFault(fault: PlatformError, message: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy(); // an answer that has begun cannot become another one
    return;
  }
  const { code, message: text, details, status } = fault;
  addFaultHeaders(fault, message, response);
  sendJson(response, status, JSON.stringify({ error: { code, message: text, details } }));
}
