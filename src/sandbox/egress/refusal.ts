// How a connection is told that it does not get what it asked for.
import type { Socket } from "node:net";
import { systemClock } from "../../core/clock.ts";

/** What a connection is told instead of being connected. `text` is one line of printable ASCII. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** The policy does not allow it. */
export function denied(why: string): Refusal {
  return { status: 403, text: `egress denied: ${why}` };
}

/** It could not be done. */
export function failed(why: string): Refusal {
  return { status: 502, text: `egress failed: ${why}` };
}

/** How long a client that has been refused may go on sending. */
const LINGER_MS = 1000;

/** Answers, and drops what else the client sends: a unix socket that is closed with unread bytes in it takes the answer with it. */
export function refuse(client: Socket, refusal: Refusal): void {
  const stopWaiting = systemClock.after(LINGER_MS, () => client.destroy());
  client.once("close", stopWaiting).once("end", () => client.destroySoon());
  client.resume();
  client.end(refusalAnswer(refusal));
}

/** The answer to a refused request, complete. */
function refusalAnswer({ status, text }: Refusal): string {
  return (
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Egress Failed"}\r\nX-Egress-Error: ${text}\r\n` +
    `Content-Type: text/plain\r\nContent-Length: ${text.length + 1}\r\nConnection: close\r\n\r\n${text}\n`
  );
}

const REASONS: { readonly [status: number]: string } = { 403: "Egress Denied", 405: "Method Not Allowed" };
