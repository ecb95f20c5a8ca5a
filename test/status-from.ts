import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";

/**
 * The status of an answer to a caller of its own: the n-th of loopback's addresses. Who shows keys that are not known any more is soon
 * refused for a minute, by address.
 */
export async function statusFrom(n: number, url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const request = get(url, { headers, localAddress: `127.0.0.${2 + (n % 250)}`, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.statusCode ?? 0;
}
