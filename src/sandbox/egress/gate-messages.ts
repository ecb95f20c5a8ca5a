// What the server and its egress gate say to each other over Node's IPC channel.
import type { EgressPolicy } from "../../core/egress-policy.ts";
import type { EgressLimits } from "./limits.ts";

export type ToGate =
  | { readonly t: "open"; readonly limits: EgressLimits }
  | { readonly t: "admit"; readonly boxId: number }
  | { readonly t: "policy"; readonly boxId: number; readonly policy: EgressPolicy }
  | { readonly t: "release"; readonly boxId: number }
  | { readonly t: "close" };

export type FromGate =
  /** `user`: the user id that the gate runs as from now on. */
  | { readonly t: "opened"; readonly user: number }
  /** The gate cannot be opened here; `message` says why. */
  | { readonly t: "refused"; readonly message: string }
  | { readonly t: "admitted"; readonly boxId: number; readonly path: string }
  | { readonly t: "not-admitted"; readonly boxId: number; readonly message: string }
  | { readonly t: "log"; readonly line: string };
