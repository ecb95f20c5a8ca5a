const MIB = 1024 * 1024;

/** Bounds of one call of code to the network. */
export interface OutboundLimits {
  /** Where the caller names none. */
  readonly timeoutMs: number;
  /** Of the whole call, redirects included, whatever the caller names. */
  readonly longestMs: number;
  readonly redirects: number;
  readonly requestBytes: number;
  /** Of a response's body, as it comes and decoded. */
  readonly responseBytes: number;
  /** The same of a provider's, which is parsed and kept: an answer of a model is some kilobytes. */
  readonly providerBytes: number;
  /** Of the head of a response. */
  readonly headBytes: number;
  /** Of the bodies of all responses that are being read at the same time, for whichever function. */
  readonly allResponsesBytes: number;
}

export const OUTBOUND_LIMITS: OutboundLimits = {
  timeoutMs: 30_000,
  longestMs: 60_000,
  redirects: 10,
  requestBytes: 8 * MIB,
  responseBytes: 8 * MIB,
  providerBytes: MIB,
  headBytes: 64 * 1024,
  allResponsesBytes: 128 * MIB,
};
