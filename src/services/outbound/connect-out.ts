import type { Socket } from "node:net";
import type { EgressPolicy } from "../../core/egress-policy.ts";

/** Where a call of a function wants to be connected to. */
export interface OutwardTarget {
  /** The version that asks. */
  readonly owner: string;
  readonly policy: EgressPolicy;
  /** A name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Connects to what code names, by way of the egress gate: this process never connects there itself.
 *
 * Rejects with an error whose `code` is EGRESS_REFUSED where the policy does not allow it.
 *
 * @param signal ends the attempt
 */
export type ConnectOut = (target: OutwardTarget, signal: AbortSignal) => Promise<Socket>;

/** For a server whose boxes have no network at all. */
export const connectNowhere: ConnectOut = () =>
  Promise.reject(
    Object.assign(new Error("no network: this function runs with EGRESS=none"), { code: "EGRESS_REFUSED" }),
  );
