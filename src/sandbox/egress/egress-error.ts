/** A connection that the policy does not allow, or that could not be made. The message says what and why. */
export class EgressError extends Error {
  override readonly name = "EgressError";
  readonly code: "EGRESS_REFUSED" | "EGRESS_FAILED";

  constructor(code: EgressError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
