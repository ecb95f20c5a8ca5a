// The egress gate's process: the only one of ours that connects to the outside, and the one that reads what boxes write
// to the network. It keeps no secret and, where the server is root, is not. When the server is gone, it ends.
import { flushCompileCache } from "node:module";
import { messageOf } from "../../core/errors.ts";
import { closeInheritedDescriptors } from "../nursery/inherited-descriptors.ts";
import { EgressGate } from "./gate.ts";
import { makeGateFolder, removeGateFolder } from "./gate-folder.ts";
import type { FromGate, ToGate } from "./gate-messages.ts";
import type { EgressLimits } from "./limits.ts";

/** The user that owns nothing. */
const NOBODY = 65_534;

let gate: EgressGate | undefined;
let folder: string | undefined;

process.on("message", (message: ToGate) => void handle(message));
process.on("disconnect", close);
// Ctrl-C reaches the whole process group; the server decides when its sandboxes end, and tells us.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("SIGHUP", () => {});

async function handle(message: ToGate): Promise<void> {
  switch (message.t) {
    case "open":
      open(message.limits);
      break;
    case "admit":
      await admit(message.boxId);
      break;
    case "policy":
      gate?.setPolicy(message.boxId, message.policy);
      break;
    case "release":
      gate?.release(message.boxId);
      break;
    case "close":
      close();
      break;
  }
}

function open(limits: EgressLimits): void {
  try {
    closeInheritedDescriptors();
    const isRoot = process.getuid?.() === 0;
    const dir = makeGateFolder(isRoot ? NOBODY : undefined);
    folder = dir;
    flushCompileCache(); // its folder is not ours to write from here on
    if (isRoot) becomeNobody();
    const onEvent = (boxId: number, text: string): void => tell({ t: "log", line: `sandbox ${boxId}: ${text}` });
    gate = new EgressGate({ dir, limits, onEvent });
    tell({ t: "opened", user: process.getuid?.() ?? NOBODY });
  } catch (error) {
    tell({ t: "refused", message: messageOf(error) });
  }
}

/** What a hostile remote side or box could win from a bug of the gate is then nobody's. */
function becomeNobody(): void {
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}

async function admit(boxId: number): Promise<void> {
  try {
    if (gate === undefined) throw new Error("the egress gate is not open");
    tell({ t: "admitted", boxId, path: await gate.admit(boxId) });
  } catch (error) {
    tell({ t: "not-admitted", boxId, message: messageOf(error) });
  }
}

function tell(message: FromGate): void {
  if (process.connected) process.send?.(message);
}

function close(): void {
  gate?.close();
  if (folder !== undefined) removeGateFolder(folder);
  process.exit(0);
}
