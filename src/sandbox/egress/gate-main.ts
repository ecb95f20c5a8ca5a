// The egress gate's process: the only one of ours that connects to the outside, and the one that reads what boxes write
// to the network. It keeps no secret and no file and, where the server is root, is not. When the server is gone, it ends.
import { flushCompileCache } from "node:module";
import { messageOf } from "../../core/errors.ts";
import { onServerGone } from "../lifeline.ts";
import { closeInheritedDescriptors } from "../nursery/inherited-descriptors.ts";
import { EgressGate } from "./gate.ts";
import type { FromGate, ToGate } from "./gate-messages.ts";
import { asHandle, asSendable, type Handle } from "./handles.ts";
import type { EgressLimits } from "./limits.ts";
import { NOBODY } from "./nobody.ts";

let gate: EgressGate | undefined;

process.on("message", (message: ToGate, handle: unknown) => receive(message, asHandle(handle)));
onServerGone(close);
// Ctrl-C reaches the whole process group; the server decides when its sandboxes end, and tells us.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("SIGHUP", () => {});

function receive(message: ToGate, handle: Handle | undefined): void {
  switch (message.t) {
    case "open":
      open(message.limits);
      break;
    case "admit":
      gate?.admit(message.boxId, message.policy);
      break;
    case "listen":
      if (handle !== undefined) listen(message.boxId, handle);
      break;
    case "serve":
      if (handle !== undefined) gate?.serve(message.boxId, handle);
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
    flushCompileCache(); // its folder is not ours to write from here on
    if (process.getuid?.() === 0) becomeNobody();
    gate = new EgressGate({ limits, onEvent: (boxId, text) => tell({ t: "log", boxId, text }) });
    tell({ t: "opened" });
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

function listen(boxId: number, socket: Handle): void {
  try {
    if (gate?.listen(boxId, socket) === true) tell({ t: "listening", boxId }, socket);
  } catch (error) {
    tell({ t: "log", boxId, text: `egress failed: ${messageOf(error)}` });
  }
}

function tell(message: FromGate, handle?: Handle): void {
  if (!process.connected) return;
  if (handle === undefined) process.send?.(message);
  else process.send?.(message, asSendable(handle), {}, () => {}); // the box may end, and its socket close, while it waits its turn
}

function close(): void {
  gate?.close();
  process.exit(0);
}
