// Functions over HTTP: any method, any path below a function's name. Contract: docs/http-functions.md.
import type { ServerResponse } from "node:http";
import { PlatformError } from "../../../core/errors.ts";
import type { Version } from "../../../core/program.ts";
import type { Catalog, StoredFunction } from "../../../services/catalog.ts";
import type { Invoke } from "../../../services/invoke.ts";
import type { RateLimits } from "../../../services/rate-limits.ts";
import type { Access } from "../../access.ts";
import { decodePath } from "../../decode.ts";
import type { Dialect, HttpRequest, Route } from "../../router.ts";
import { answerPreflight, corsHeaders, isPreflight } from "./cors.ts";
import { FunctionCall } from "./call.ts";
import { answerFault } from "./fault.ts";
import { headersFor, requestIdOf, wholeBody } from "./request.ts";

const PREFIX = "/fn/";
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const; // HEAD goes with GET

export interface FunctionsDoorDeps {
  readonly catalog: Catalog;
  readonly invoke: Invoke;
  readonly access: Access;
  readonly rateLimits: RateLimits;
  /** Of one request's body. */
  readonly bodyBytes: number;
}

export function functionRoutes(deps: FunctionsDoorDeps): Route[] {
  const { catalog, access, rateLimits } = deps;

  async function handle(request: HttpRequest, response: ServerResponse): Promise<void> {
    const { message } = request;
    const match = catalog.match(decodePath(request.path.slice(PREFIX.length)));
    if (match === undefined) {
      access.checkKey(message, "invoke"); // whoever has no key does not learn which functions there are
      throw new PlatformError("FUNCTION_NOT_FOUND", "Function not found");
    }
    const { stored, pin, relativePath } = match;
    const { settings } = stored;
    if (settings.access !== "public") access.checkKey(message, "invoke");
    if (isPreflight(message)) {
      answerPreflight(message, response, settings.corsOrigins);
      return;
    }
    for (const [name, value] of corsHeaders(message, settings.corsOrigins)) response.setHeader(name, value);
    if (settings.callsPerMinute !== undefined) rateLimits.take(stored.id, settings.callsPerMinute);
    const version = await catalog.pinned(stored, pin);
    const body = await wholeBody(message, deps.bodyBytes);
    await run({ request, response, stored, version, relativePath, body });
  }

  async function run(given: {
    readonly request: HttpRequest;
    readonly response: ServerResponse;
    readonly stored: StoredFunction;
    readonly version: Version;
    readonly relativePath: string;
    readonly body: Buffer | undefined;
  }): Promise<void> {
    const { request, response, stored, version, relativePath, body } = given;
    const { message } = request;
    const { timeoutMs, saveResponses: keepsResponse } = stored.settings;
    const requestId = requestIdOf(message) ?? "";
    const head = {
      requestId,
      method: message.method ?? "GET",
      path: request.path,
      relativePath,
      query: request.query,
      headers: headersFor(message, access.isOurs(message)),
    };
    const call = new FunctionCall({ message, response, head, body, version, bodyBytes: deps.bodyBytes, keepsResponse });
    const invocation = deps.invoke({
      version,
      trigger: "http",
      input: { kind: "request", exchange: call },
      timeoutMs,
      event: () => call.eventRecord(),
      httpStatus: () => call.status,
      ...(keepsResponse ? { response: () => call.responseRecord() } : {}),
    });
    call.executionId = invocation.executionId;
    call.onBroken = () => invocation.cancel();
    call.finish(await invocation.result, () => access.maySeeDetails(message));
  }

  return METHODS.map((method) => ({
    method,
    path: `${PREFIX}*`,
    scope: "none", // each function says itself who may call it
    anyOrigin: (request: HttpRequest) => isPublic(catalog, request),
    dialect,
    handle,
  }));
}

const dialect: Dialect = (error, _request, response) => answerFault(response, error);

/** Pages of other origins may call what everybody may call, on loopback, too. */
function isPublic(catalog: Catalog, { path }: HttpRequest): boolean {
  return catalog.match(decodePath(path.slice(PREFIX.length)))?.stored.settings.access === "public";
}
