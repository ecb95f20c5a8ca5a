/** Every fault that a caller can see, with its status. */
const FAULTS = {
  INVALID_REQUEST: { status: 400, retryAfterS: undefined },
  INVALID_PATH: { status: 400, retryAfterS: undefined },
  UNSUPPORTED_LANGUAGE: { status: 400, retryAfterS: undefined },
  KEY_REQUIRED: { status: 401, retryAfterS: undefined },
  LOGIN_FAILED: { status: 401, retryAfterS: undefined },
  HOST_NOT_ALLOWED: { status: 403, retryAfterS: undefined },
  FUNCTION_DISABLED: { status: 403, retryAfterS: undefined },
  /** The code cannot be deployed: it does not compile, or has nothing that could be called. */
  CODE_REJECTED: { status: 400, retryAfterS: undefined },
  SCOPE_MISSING: { status: 403, retryAfterS: undefined },
  FUNCTION_NOT_FOUND: { status: 404, retryAfterS: undefined },
  VERSION_NOT_FOUND: { status: 404, retryAfterS: undefined },
  KEY_NOT_FOUND: { status: 404, retryAfterS: undefined },
  /** An alias, a variable, a secret, a key of the store, an execution. */
  NOT_FOUND: { status: 404, retryAfterS: undefined },
  ROUTE_NOT_FOUND: { status: 404, retryAfterS: undefined },
  METHOD_NOT_ALLOWED: { status: 405, retryAfterS: undefined },
  NAME_TAKEN: { status: 409, retryAfterS: undefined },
  /** A version with this label is there already. */
  VERSION_EXISTS: { status: 409, retryAfterS: undefined },
  /** What is active or pointed to cannot be deleted; what is over cannot be cancelled. */
  IN_USE: { status: 409, retryAfterS: undefined },
  BODY_TOO_LARGE: { status: 413, retryAfterS: undefined },
  CODE_TOO_LARGE: { status: 413, retryAfterS: undefined },
  /** More than the function may hold. */
  STORE_FULL: { status: 413, retryAfterS: undefined },
  /** Neither source that can be built, nor an executable, nor a module. */
  UNSUPPORTED_FILE: { status: 415, retryAfterS: undefined },
  /** The compiler refused the code; `details.output` is what it said. */
  BUILD_FAILED: { status: 422, retryAfterS: undefined },
  /** The same key came with another request. */
  IDEMPOTENCY_KEY_REUSED: { status: 422, retryAfterS: undefined },
  TOO_MANY_ATTEMPTS: { status: 429, retryAfterS: 60 },
  RATE_LIMITED: { status: 429, retryAfterS: 1 },
  /** The user's code failed, or met a limit: a door whose dialect has only success and error tells it like this. */
  RUN_FAILED: { status: 500, retryAfterS: undefined },
  RUN_TIMED_OUT: { status: 504, retryAfterS: undefined },
  SANDBOX_START_FAILED: { status: 500, retryAfterS: undefined },
  INTERNAL: { status: 500, retryAfterS: undefined },
  POOL_SATURATED: { status: 503, retryAfterS: 1 },
  /** More jobs wait than may. */
  QUEUE_FULL: { status: 503, retryAfterS: 5 },
  DRAINING: { status: 503, retryAfterS: 5 },
  /** A compiler that is needed is not installed. */
  TOOLCHAIN_MISSING: { status: 503, retryAfterS: undefined },
  STORE_UNAVAILABLE: { status: 503, retryAfterS: 5 },
} as const;

export type FaultCode = keyof typeof FAULTS;

/** A fault of the platform or of the request. `message` says what, which and the limit, and is shown to the caller. */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly code: FaultCode;
  /** More about it, in a shape that the code stands for. */
  readonly details: object | undefined;
  readonly #retryAfterS: number | undefined;

  constructor(
    code: FaultCode,
    message: string,
    options?: ErrorOptions & { readonly details?: object; readonly retryAfterS?: number },
  ) {
    super(message, options);
    this.code = code;
    this.details = options?.details;
    this.#retryAfterS = options?.retryAfterS;
  }

  /** The HTTP status for this fault. */
  get status(): number {
    return FAULTS[this.code].status;
  }

  /** Seconds after which a retry may succeed; undefined where a retry is pointless. */
  get retryAfterS(): number | undefined {
    return this.#retryAfterS ?? FAULTS[this.code].retryAfterS;
  }
}

/** Every code with its status, for the documents. */
export function faultTable(): { readonly code: FaultCode; readonly status: number }[] {
  return Object.entries(FAULTS).map(([code, { status }]) => ({ code: code as FaultCode, status }));
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
