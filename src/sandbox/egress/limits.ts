const MIB = 1024 * 1024;

/** Bounds of one box's egress. What passes one of them is ended. */
export interface EgressLimits {
  /** Open at once. */
  readonly connections: number;
  /** Names being resolved at once: a lookup holds a thread of the gate, which all boxes share. */
  readonly lookups: number;
  /** Of one connection, each way. */
  readonly bytesEachWay: number;
  /** Without a byte either way. */
  readonly idleMs: number;
  /** From the first byte of a connection to its last. */
  readonly lifeMs: number;
  /** Of a request up to its empty line. */
  readonly headBytes: number;
  readonly headMs: number;
  /** For all addresses of a host together. */
  readonly connectMs: number;
  /** How long a connection waits for its box's policy. */
  readonly policyWaitMs: number;
}

export const EGRESS_LIMITS: EgressLimits = {
  connections: 64, // a browser opens 6 for each host
  lookups: 4,
  bytesEachWay: 256 * MIB, // more than the memory of a box
  idleMs: 60_000,
  lifeMs: 600_000,
  headBytes: 8192, // a host name has at most 253 bytes
  headMs: 5_000,
  connectMs: 10_000,
  policyWaitMs: 2_000, // the policy is sent before the run starts, on another channel
};
