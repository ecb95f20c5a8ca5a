// A load balancer as small as one can be: round robin, connections that are kept, and another server where one takes no connection.
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

const PROBE_MS = 250;
const BAD_GATEWAY = 502;

interface Backend {
  readonly url: string;
  readonly agent: Agent;
  isUp: boolean;
}

/** What it does where a server fails is what nginx and HAProxy do by default: see `canGoElsewhere`. */
export class Balancer {
  readonly #server = createServer((request, response) => void this.#pass(request, response));
  readonly #backends = new Map<string, Backend>();
  readonly #probes: NodeJS.Timeout;
  #turn = 0;

  static async listen(): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(0, "127.0.0.1");
    await once(balancer.#server, "listening");
    return balancer;
  }

  private constructor() {
    this.#probes = setInterval(() => void this.#probe(), PROBE_MS);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sends requests there from now on; in the place of the one before of that name. */
  put(name: string, url: string): void {
    this.#backends.get(name)?.agent.destroy();
    this.#backends.set(name, { url, agent: new Agent({ keepAlive: true }), isUp: true });
  }

  async close(): Promise<void> {
    clearInterval(this.#probes);
    for (const { agent } of this.#backends.values()) agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** The one whose turn it is; where none is up, whichever comes next. */
  #next(tried: ReadonlySet<Backend>): Backend | undefined {
    const all = [...this.#backends.values()].filter((backend) => !tried.has(backend));
    const up = all.filter(({ isUp }) => isUp);
    const choice = up.length > 0 ? up : all;
    return choice[this.#turn++ % choice.length];
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const tried = new Set<Backend>();
    for (;;) {
      const backend = this.#next(tried);
      if (backend === undefined) {
        response.writeHead(BAD_GATEWAY).end("no server took it");
        return;
      }
      tried.add(backend);
      try {
        const answer = await ask(backend, request, body);
        response.writeHead(answer.statusCode ?? BAD_GATEWAY, answer.headers);
        answer.pipe(response);
        answer.on("error", () => response.destroy());
        return;
      } catch (fault) {
        if (canGoElsewhere(fault as Fault)) {
          backend.isUp = false;
          continue;
        }
        response.writeHead(BAD_GATEWAY).end(`the server failed: ${String((fault as Fault).code)}`);
        return;
      }
    }
  }

  async #probe(): Promise<void> {
    await Promise.all(
      [...this.#backends.values()].map(async (backend) => {
        try {
          const answer = await fetch(`${backend.url}/readyz`, {
            headers: { connection: "close" },
            signal: AbortSignal.timeout(5_000),
          });
          await answer.arrayBuffer();
          backend.isUp = answer.ok;
        } catch {
          backend.isUp = false;
        }
      }),
    );
  }
}

interface Fault extends NodeJS.ErrnoException {
  /** True where the connection had been used before: the server may have closed it just then, without having seen the request. */
  wasKept?: boolean;
}

/** Where no connection was made, nothing was asked; where a kept one ended without a byte of answer, it had been given up before. */
function canGoElsewhere({ code, wasKept }: Fault): boolean {
  return code === "ECONNREFUSED" || (wasKept === true && (code === "ECONNRESET" || code === "EPIPE"));
}

async function ask({ url, agent }: Backend, from: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const { connection: _hop, "keep-alive": _own, "transfer-encoding": _chunked, ...headers } = from.headers;
  const target = new URL(from.url ?? "/", url);
  const asked = httpRequest(target, {
    ...{ method: from.method ?? "GET", agent },
    headers: { ...headers, host: target.host, "content-length": body.length },
  });
  asked.end(body);
  try {
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    return answer;
  } catch (fault) {
    (fault as Fault).wasKept = asked.reusedSocket;
    throw fault;
  }
}
