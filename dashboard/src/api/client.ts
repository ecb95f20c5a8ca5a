// The one place that speaks to the server. It uses the public API only.
import { type ErrorBody, type Operations, ROUTES } from "./schema.ts";

/** What the server answered instead of what was asked for. `UNREACHABLE` (status 0): it did not answer at all. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** One of docs/errors.md, or `UNREACHABLE`. */
  readonly code: string;
  readonly details: unknown;
  readonly executionId: string | undefined;

  constructor(status: number, { code, message, details, executionId }: ErrorBody["error"], options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.details = details;
    this.executionId = executionId;
  }
}

type Given<Part> = [Part] extends [undefined] ? object : Part;
type IsEmpty<Part> = object extends Given<Part> ? true : false;
/** Params, query and body in one object each; a part where nothing is needed may be left out. */
export type Input<Id extends keyof Operations> = {
  readonly [
    Name in "params" | "query" | "body" as Operations[Id][Name] extends undefined
      ? never
      : IsEmpty<Operations[Id][Name]> extends true
        ? never
        : Name
  ]: Operations[Id][Name];
} & {
  readonly [
    Name in "params" | "query" | "body" as Operations[Id][Name] extends undefined
      ? never
      : IsEmpty<Operations[Id][Name]> extends true
        ? Name
        : never
  ]?: Operations[Id][Name] | undefined;
};

type Rest<Id extends keyof Operations> =
  object extends Input<Id> ? [input?: Input<Id>, options?: CallOptions] : [input: Input<Id>, options?: CallOptions];

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** The request is sent to its end even when the page goes. */
  readonly keepalive?: boolean;
}

/**
 * One call of the API, by the name that its document gives it: `call("readFunction", { params: { id: "greet" } })`.
 *
 * @throws ApiError
 */
export async function call<Id extends keyof Operations>(
  id: Id,
  ...[input, options]: Rest<Id>
): Promise<Operations[Id]["response"]> {
  const { params, query, body } = (input ?? {}) as { params?: object; query?: object; body?: unknown };
  const [method, path] = ROUTES[id];
  const response = await send(urlOf(path, params, query), {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    ...(options?.signal === undefined ? {} : { signal: options.signal }),
    ...(options?.keepalive === true ? { keepalive: true } : {}),
  });
  return (response.status === 204 ? undefined : await response.json()) as Operations[Id]["response"];
}

/**
 * For what is no operation with JSON: an archive that goes up, a stream that comes down.
 *
 * @throws ApiError where the answer is not 2xx
 */
export async function send(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "UNREACHABLE", message: "the server does not answer" }, { cause: error });
  }
  if (response.ok) return response;
  const fault = await faultOf(response);
  if (fault.status === 401 && fault.code === "KEY_REQUIRED") keyRequired.dispatchEvent(new Event("required"));
  throw fault;
}

/** Says `required` whenever the server wanted a key and there was none that is good. */
export const keyRequired = new EventTarget();

/** The address of an operation, for links and event sources. */
export function urlOf(path: string, params: object = {}, query: object = {}): string {
  const values = params as Readonly<Record<string, unknown>>;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(String(values[name])));
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return search === "" ? filled : `${filled}?${search}`;
}

async function faultOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    return new ApiError(response.status, error);
  } catch {
    return new ApiError(response.status, {
      code: `HTTP_${response.status}`,
      message: text.slice(0, 500) || response.statusText,
    });
  }
}

/** What to tell somebody of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
