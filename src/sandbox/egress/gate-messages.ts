// What the server and its egress gate say to each other over Node's IPC channel.
import type { EgressPolicy } from "../../core/egress-policy.ts";
import type { EgressLimits } from "./limits.ts";

/** A box's number; the server's own connections come under negative ones. */
export type ToGate =
  | { readonly t: "open"; readonly limits: EgressLimits }
  | { readonly t: "admit"; readonly boxId: number; readonly policy: EgressPolicy | undefined }
  /** Comes with the box's socket, which the gate listens on from now on. */
  | { readonly t: "listen"; readonly boxId: number }
  /** Comes with a connection that has been accepted already, and of which nothing has been read. */
  | { readonly t: "serve"; readonly boxId: number }
  | { readonly t: "policy"; readonly boxId: number; readonly policy: EgressPolicy }
  | { readonly t: "release"; readonly boxId: number }
  | { readonly t: "close" };

export type FromGate =
  | { readonly t: "opened" }
  /** The gate cannot be opened here; `message` says why. */
  | { readonly t: "refused"; readonly message: string }
  /** The gate listens; comes with a copy of the socket, for the time after this gate. */
  | { readonly t: "listening"; readonly boxId: number }
  | { readonly t: "log"; readonly boxId: number; readonly text: string };
