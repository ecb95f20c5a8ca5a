/** A call to the network that failed. The message is for the code that called: it says what happened, and holds no secret. */
export class OutboundError extends Error {
  override readonly name = "OutboundError";
  readonly code: "EGRESS_REFUSED" | "REQUEST_FAILED";

  constructor(code: OutboundError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const SHOWN_CHARS = 300;

/** A text of somebody else, as a part of a message: those travel in the head of a frame, which has little room. */
export function shown(text: string): string {
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}

/** The same error with `prefix: ` in front. */
export function prefixed(prefix: string, error: unknown): unknown {
  if (!(error instanceof OutboundError)) return error;
  return new OutboundError(error.code, `${prefix}: ${error.message}`, { cause: error });
}
