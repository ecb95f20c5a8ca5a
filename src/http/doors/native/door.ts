// The native function API: programs are uploaded, listed, deleted and run. Contract: docs/native.md.
import type { ServerResponse } from "node:http";
import { PlatformError } from "../../../core/errors.ts";
import type { Catalog } from "../../../services/catalog.ts";
import type { Invoke } from "../../../services/invoke.ts";
import type { NativeFunctions } from "../../../services/native-functions.ts";
import type { Access } from "../../access.ts";
import { sendJson } from "../../answer.ts";
import { readBytes } from "../../body.ts";
import { decodePath } from "../../decode.ts";
import type { Dialect, HttpRequest, Route } from "../../router.ts";
import { answerOf, inputFor, readCall } from "./call.ts";
import { readUpload } from "./upload.ts";

const FUNCTIONS = "/functions";
const INVOKE = "/invoke/";
const KEPT_INPUT_CHARS = 16 * 1024; // as the other doors keep it

export interface NativeDoorDeps {
  readonly native: NativeFunctions;
  readonly catalog: Catalog;
  readonly invoke: Invoke;
  readonly access: Access;
  /** Of one call's body. */
  readonly bodyBytes: number;
}

export function nativeRoutes(deps: NativeDoorDeps): Route[] {
  const { native, catalog, access } = deps;

  async function upload({ message }: HttpRequest, response: ServerResponse): Promise<void> {
    const form = await readUpload(message, access.keyName(message));
    sendJson(response, 200, JSON.stringify(await native.upload(form)));
  }

  async function list(_request: HttpRequest, response: ServerResponse): Promise<void> {
    sendJson(response, 200, JSON.stringify(await native.list()));
  }

  async function read({ path }: HttpRequest, response: ServerResponse): Promise<void> {
    const found = await native.find(idIn(path, `${FUNCTIONS}/`));
    if (found === undefined) throw notFound();
    sendJson(response, 200, JSON.stringify(found));
  }

  async function remove({ path }: HttpRequest, response: ServerResponse): Promise<void> {
    if (!(await native.remove(idIn(path, `${FUNCTIONS}/`)))) throw notFound();
    sendJson(response, 200, '{"success":"true"}');
  }

  async function call({ message, path, query }: HttpRequest, response: ServerResponse): Promise<void> {
    const target = await native.target(idIn(path, INVOKE));
    if (target === undefined) throw functionNotFound();
    const { input, mode } = await readCall(message, query, await readBytes(message, deps.bodyBytes));
    const { stored, number } = target;
    const version =
      number === undefined && mode === undefined
        ? await catalog.pinned(stored, undefined)
        : await catalog.version(stored, number, mode);
    const json = inputFor(version.program, input);
    const run = deps.invoke({
      version,
      trigger: "invoke",
      input: { kind: "value", json },
      timeoutMs: stored.settings.timeoutMs,
      event: () => (input === undefined || json.length > KEPT_INPUT_CHARS ? undefined : json),
    });
    response.on("close", () => {
      if (!response.writableFinished) run.cancel();
    });
    sendJson(response, 200, answerOf(version.program, await run.result));
  }

  return [
    { method: "GET", path: FUNCTIONS, scope: "read", dialect, handle: list },
    { method: "POST", path: FUNCTIONS, scope: "deploy", dialect, handle: upload },
    { method: "GET", path: `${FUNCTIONS}/*`, scope: "read", dialect, handle: read },
    { method: "DELETE", path: `${FUNCTIONS}/*`, scope: "deploy", dialect, handle: remove },
    { method: "POST", path: `${INVOKE}*`, scope: "invoke", dialect, handle: call },
  ];
}

function idIn(path: string, prefix: string): string {
  return decodePath(path.slice(prefix.length));
}

function notFound(): PlatformError {
  return new PlatformError("NOT_FOUND", "not found");
}

function functionNotFound(): PlatformError {
  return new PlatformError("FUNCTION_NOT_FOUND", "function not found");
}

/** `{"error": "<message>"}`; of a build that failed with all that the compiler said. */
const dialect: Dialect = (error, _request, response) => {
  sendJson(response, error.status, JSON.stringify({ error: messageFor(error) }));
};

function messageFor({ code, message, details = {} }: PlatformError): string {
  if (code === "FUNCTION_NOT_FOUND" || code === "VERSION_NOT_FOUND") return "function not found";
  const output = code === "BUILD_FAILED" && "output" in details ? String(details.output) : "";
  return output === "" || output.includes(message) ? output || message : `${message}\n${output}`;
}
