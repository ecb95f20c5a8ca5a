// What the server and its nursery say to each other over Node's IPC channel. Handles travel beside a `socket` message.
import type { BaseImage } from "../../core/base-image.ts";
import type { Ending, SandboxFeature, SandboxLimits } from "../sandbox.ts";

export interface NurserySettings {
  readonly images: readonly BaseImage[];
  readonly limits: SandboxLimits;
  /** Folder for the prepared roots; the nursery owns it. */
  readonly rootsDir: string;
  /** How boxes reach the network through a gate, in words; undefined: they have none. */
  readonly gate: string | undefined;
  /** Run on a machine without cgroups, where memory and CPU cannot be bounded. */
  readonly allowSoftLimits: boolean;
  /** How many boxes may live at once; each gets a user id of its own where the server runs as root. */
  readonly maxBoxes: number;
}

export type ToNursery =
  | { readonly t: "open"; readonly settings: NurserySettings }
  | { readonly t: "launch"; readonly id: number; readonly base: string; readonly gateSocket: string | undefined }
  | { readonly t: "kill"; readonly id: number }
  | { readonly t: "background"; readonly id: number; readonly background: boolean }
  | { readonly t: "relieve"; readonly id: number }
  | { readonly t: "measure"; readonly id: number; readonly question: number }
  | { readonly t: "close" };

export type SocketName = "control" | "stdout" | "stderr";

export type FromNursery =
  | { readonly t: "opened"; readonly features: readonly SandboxFeature[] }
  /** The machine cannot hold the configured isolation; `message` says what is missing and what to do. */
  | { readonly t: "refused"; readonly message: string }
  | { readonly t: "socket"; readonly id: number; readonly name: SocketName }
  | { readonly t: "not-launched"; readonly id: number; readonly message: string }
  | { readonly t: "ended"; readonly id: number; readonly ending: Ending }
  | { readonly t: "measured"; readonly question: number; readonly memoryBytes: number | undefined };
