// The script API: upload code under a path, run it, or run code now. Contract: docs/script-api.md.
import type { ServerResponse } from "node:http";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { PlatformError } from "../../core/errors.ts";
import type { RunLimits } from "../../core/limits.ts";
import type { Version } from "../../core/program.ts";
import type { Trigger } from "../../core/execution.ts";
import type { Catalog } from "../../services/catalog.ts";
import type { Deploy } from "../../services/deploy.ts";
import { grantEgress } from "../../services/egress.ts";
import { explain } from "../../services/explain.ts";
import type { Invoke, InvocationResult } from "../../services/invoke.ts";
import type { Jobs } from "../../services/jobs.ts";
import type { Programs } from "../../services/programs.ts";
import type { Access } from "../access.ts";
import { sendFault, sendJson, sendJsonFault } from "../answer.ts";
import { readBody } from "../body.ts";
import { decodePath } from "../decode.ts";
import { answerAccepted, idempotencyKeyOf, prefersAsync } from "../prefer.ts";
import type { Dialect, HttpRequest, Route } from "../router.ts";
import { ScriptEvents } from "./script-events.ts";
import { checkPath, parseRun, parseRunNow, parseUpload, type RunBody, versionOf } from "./script-request.ts";
import { printedResult, returnedResult } from "./script-result.ts";

const KEPT_INPUT_CHARS = 16 * 1024;

export interface ScriptApiDeps {
  readonly catalog: Catalog;
  readonly programs: Programs;
  readonly deploy: Deploy;
  readonly invoke: Invoke;
  readonly jobs: Jobs;
  readonly access: Access;
  readonly limits: RunLimits;
  /** The widest that is allowed. */
  readonly egress: EgressPolicy;
  /** Of code that asks for nothing; undefined: whatever is allowed when it runs. */
  readonly scriptEgress: EgressPolicy | undefined;
}

export function scriptRoutes(deps: ScriptApiDeps): Route[] {
  const { catalog, programs, deploy, limits } = deps;

  async function upload(request: HttpRequest, response: ServerResponse): Promise<void> {
    const {
      path,
      code,
      language,
      egress = deps.scriptEgress,
    } = parseUpload(await readBody(request.message, limits.bodyBytes));
    const functionName = checkPath(path);
    programs.check(language);
    checkCodeSize(code);
    const { version } = await deploy({ functionName, language, source: { text: code }, egress });
    sendJson(response, 200, JSON.stringify({ path: functionName, language, version: version.number }));
  }

  async function run(request: HttpRequest, response: ServerResponse): Promise<void> {
    const body = parseRun(await readBody(request.message, limits.bodyBytes));
    const functionName = decodePath(request.path.slice("/run/".length)).replace(/^\/+/, "");
    const number = versionOf(request.query);
    if (prefersAsync(request.message)) {
      const pin = number === undefined ? undefined : String(number);
      const input = { kind: "value", json: body.input } as const;
      const idempotencyKey = idempotencyKeyOf(request.message);
      const { jobId } = await deps.jobs.submit({ stored: catalog.require(functionName), input, pin, idempotencyKey });
      answerAccepted(response, jobId);
      return;
    }
    const version = catalog.cached(functionName, number) ?? (await catalog.find(functionName, number));
    await execute(version, "script", body, response);
  }

  async function runNow(request: HttpRequest, response: ServerResponse): Promise<void> {
    const body = parseRunNow(await readBody(request.message, limits.bodyBytes));
    programs.check(body.language);
    if (body.code.trim() === "") throw new PlatformError("INVALID_REQUEST", "code is required");
    checkCodeSize(body.code);
    const egress = grantEgress(body.egress ?? deps.scriptEgress, deps.egress);
    await execute(await programs.adHoc(body.language, body.code, egress), "run-now", body, response);
  }

  /** For the dashboard: the cookie of its session goes nowhere but below /api. */
  async function runNowOfSession(request: HttpRequest, response: ServerResponse): Promise<void> {
    deps.access.checkManagement(request.message, "deploy");
    await runNow(request, response);
  }

  async function execute(version: Version, trigger: Trigger, body: RunBody, response: ServerResponse): Promise<void> {
    const events = body.stream ? new ScriptEvents(response, version.program.alwaysReturns) : undefined;
    const input = { kind: "value", json: body.input } as const;
    const invocation = { version, input, trigger, event: () => eventOf(body.input) };
    const run = deps.invoke(events === undefined ? invocation : { ...invocation, onLine: (line) => events.line(line) });
    response.on("close", () => {
      if (!response.writableFinished) run.cancel();
    });
    if (events === undefined) sendResult(response, await run.result);
    else {
      await run.result.then(
        (result) => events.end(result),
        (error: unknown) => events.error(error instanceof PlatformError ? error.message : "internal error"),
      );
    }
  }

  function checkCodeSize(code: string): void {
    const bytes = Buffer.byteLength(code);
    if (bytes <= limits.codeBytes) return;
    const message = `code too large: ${bytes} bytes (max ${limits.codeBytes}, setting CODE_MAX_SIZE)`;
    throw new PlatformError("CODE_TOO_LARGE", message);
  }

  return [
    { method: "POST", path: "/upload", scope: "deploy", dialect: uploadDialect, handle: upload },
    { method: "POST", path: "/run", scope: "invoke", dialect: runDialect, handle: run },
    { method: "POST", path: "/run/*", scope: "invoke", dialect: runDialect, handle: run },
    { method: "POST", path: "/run-now", scope: "deploy", dialect: runDialect, handle: runNow },
    { method: "POST", path: "/api/run-now", scope: "none", dialect: managementDialect, handle: runNowOfSession },
  ];
}

/** What is kept of the input; `{}` says nothing. */
function eventOf(input: string): string | undefined {
  return input === "{}" || input.length > KEPT_INPUT_CHARS ? undefined : input;
}

function sendResult(response: ServerResponse, { outcome, printed }: InvocationResult): void {
  if (outcome.kind === "responded") throw new PlatformError("INTERNAL", "a value was answered with a response");
  if (outcome.kind === "ok") {
    const { data, type } = outcome.json === undefined ? printedResult(printed) : returnedResult(outcome.json);
    sendJson(response, 200, `{"data":${data},"type":"${type}"}`);
    return;
  }
  const code = outcome.kind === "timed-out" ? "RUN_TIMED_OUT" : "RUN_FAILED";
  throw new PlatformError(code, explain(outcome));
}

/** Texts that clients of this API have known for long; everything else speaks for itself. */
const uploadDialect: Dialect = (error, request, response) => {
  const texts: { readonly [code: string]: string } = {
    INVALID_REQUEST: "Invalid request payload",
    INVALID_PATH: "Invalid path",
  };
  sendFault(error, request, response, texts[error.code] ?? error.message);
};

const runDialect: Dialect = (error, request, response) => {
  sendFault(error, request, response, runFaultText(error));
};

/** Everything below /api answers in one shape. */
const managementDialect: Dialect = (error, _request, response) => sendJsonFault(response, error);

function runFaultText(error: PlatformError): string {
  switch (error.code) {
    case "FUNCTION_NOT_FOUND":
      return "bad request: script not found";
    case "VERSION_NOT_FOUND":
      return "bad request: assign version not found";
    case "UNSUPPORTED_LANGUAGE":
      return "bad request: unsupported language";
    case "INVALID_REQUEST":
    case "CODE_TOO_LARGE":
    case "BODY_TOO_LARGE":
      return `bad request: ${error.message}`;
    case "FUNCTION_DISABLED":
    case "LOGIN_FAILED":
    case "CODE_REJECTED":
    case "NOT_FOUND":
    case "NAME_TAKEN":
    case "IN_USE":
    case "STORE_FULL":
    case "RATE_LIMITED":
    case "ROUTE_NOT_FOUND":
    case "METHOD_NOT_ALLOWED":
    case "HOST_NOT_ALLOWED":
    case "KEY_REQUIRED":
    case "KEY_NOT_FOUND":
    case "SCOPE_MISSING":
    case "TOO_MANY_ATTEMPTS":
    case "INVALID_PATH":
    case "VERSION_EXISTS":
    case "UNSUPPORTED_FILE":
    case "BUILD_FAILED":
    case "IDEMPOTENCY_KEY_REUSED":
      return error.message;
    case "RUN_FAILED":
    case "RUN_TIMED_OUT":
    case "SANDBOX_START_FAILED":
    case "INTERNAL":
    case "POOL_SATURATED":
    case "QUEUE_FULL":
    case "TOOLCHAIN_MISSING":
    case "DRAINING":
    case "STORE_UNAVAILABLE":
      return `failed to run: ${error.message}`;
  }
}
