// Functions over HTTP: any method, any path below a function's name. Contract: docs/http-functions.md.
import type { IncomingMessage, ServerResponse } from "node:http";
import { PlatformError } from "../../../core/errors.ts";
import type { HeaderList } from "../../../core/exchange.ts";
import type { Version } from "../../../core/program.ts";
import type { Catalog, StoredFunction } from "../../../services/catalog.ts";
import type { Invoke } from "../../../services/invoke.ts";
import type { Jobs } from "../../../services/jobs.ts";
import type { RateLimits } from "../../../services/rate-limits.ts";
import type { Access } from "../../access.ts";
import { readBytes } from "../../body.ts";
import { decodePath } from "../../decode.ts";
import { answerAccepted, idempotencyKeyOf, prefersAsync } from "../../prefer.ts";
import type { Dialect, HttpRequest, Route } from "../../router.ts";
import { answerPreflight, corsHeaders, isPreflight, setHeaders } from "./cors.ts";
import { FunctionCall } from "./call.ts";
import { answerFault } from "./fault.ts";
import { keepRequest } from "./kept-exchange.ts";
import { wholeBody } from "./request.ts";
import { type TakenHead, takeHead } from "./taken-head.ts";

const PREFIX = "/fn/";
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const; // HEAD goes with GET

export interface FunctionsDoorDeps {
  readonly catalog: Catalog;
  readonly invoke: Invoke;
  readonly access: Access;
  readonly rateLimits: RateLimits;
  readonly jobs: Jobs;
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
    const cors = corsHeaders(message, settings.corsOrigins);
    try {
      if (settings.callsPerMinute !== undefined) rateLimits.take(stored.id, settings.callsPerMinute);
      if (prefersAsync(message) && mayEnqueue(message)) {
        setHeaders(response, cors);
        await keep({ request, response, stored, pin, relativePath });
        return;
      }
      const atHand = pin === undefined ? catalog.cachedLive(stored.id) : undefined;
      const version = atHand ?? (await catalog.pinned(stored, pin));
      const found = wholeBody(message, deps.bodyBytes);
      const body = found instanceof Promise ? await found : found;
      await run({ request, response, stored, version, relativePath, cors, body });
    } catch (error) {
      if (!response.headersSent) setHeaders(response, cors); // pages of other origins may read why, too
      throw error;
    }
  }

  function headOf(request: HttpRequest, relativePath: string): TakenHead {
    return takeHead(request, relativePath, access.isOurs(request.message));
  }

  /** A job outlives its request and fills the disk: callers whom nobody knows are answered as if they had no preference. */
  function mayEnqueue(message: IncomingMessage): boolean {
    try {
      access.checkKey(message, "invoke");
      return true;
    } catch {
      return false;
    }
  }

  /** Keeps the request for later, whole. */
  async function keep(given: {
    readonly request: HttpRequest;
    readonly response: ServerResponse;
    readonly stored: StoredFunction;
    readonly pin: string | undefined;
    readonly relativePath: string;
  }): Promise<void> {
    const { request, response, stored, pin, relativePath } = given;
    const { message } = request;
    const body = await readBytes(message, deps.jobs.inputBytes, ", setting JOB_INPUT_MAX_SIZE");
    const input = { kind: "request", request: keepRequest(headOf(request, relativePath), body) } as const;
    const idempotencyKey = idempotencyKeyOf(message);
    const { jobId } = await deps.jobs.submit({ stored, input, pin, idempotencyKey });
    answerAccepted(response, jobId);
  }

  async function run(given: {
    readonly request: HttpRequest;
    readonly response: ServerResponse;
    readonly stored: StoredFunction;
    readonly version: Version;
    readonly relativePath: string;
    readonly cors: HeaderList;
    readonly body: Buffer | undefined;
  }): Promise<void> {
    const { request, response, stored, version, relativePath, cors, body } = given;
    const { message } = request;
    const { timeoutMs, saveResponses: keepsResponse } = stored.settings;
    const head = headOf(request, relativePath);
    const { bodyBytes } = deps;
    const call = new FunctionCall({ message, response, head, cors, body, version, bodyBytes, keepsResponse });
    const invocation = deps.invoke({
      version,
      trigger: "http",
      input: { kind: "request", exchange: call },
      timeoutMs,
      event: () => call.eventRecord(),
      httpStatus: () => call.status,
      response: keepsResponse ? () => call.responseRecord() : undefined,
    });
    call.invocation = invocation;
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
