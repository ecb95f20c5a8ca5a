// P1, P2 for functions over HTTP: what does a warm call of each handler style cost beside bare node:http?
import { postOk } from "./client.ts";
import { GENERATOR, type Target } from "./load.ts";
import { startNodeRival, startOurs, startUvicorn } from "./rivals.ts";
import { added, alternate, of } from "./rounds.ts";
import { perS, ratio, type Row, type Table, us } from "./table.ts";

const SHAPE = { rounds: 5, seconds: 1 };
const PEAK_CONNECTIONS = 32;
const LEAST_SHARE = 0.5; // P1
const MOST_ADDED_P50_US = 200; // P2, of Python and Lua
const BODY = JSON.stringify({ name: "world" });
const ANSWER = '{"hello":"world"}';

const ASGI = "Python, ASGI";

const FUNCTIONS = {
  "JavaScript, script": ["javascript", "return { hello: JSON.parse(event.body).name }"],
  "JavaScript, lambda": ["javascript", "export const handler = (event) => ({ hello: JSON.parse(event.body).name });"],
  "JavaScript, web": [
    "javascript",
    "export default async (request) => Response.json({ hello: (await request.json()).name });",
  ],
  "Python, handler": [
    "python",
    'import json\ndef handler(event, context):\n    return {"hello": json.loads(event["body"])["name"]}',
  ],
  "Python, ASGI": [
    "python",
    `import json
async def app(scope, receive, send):
    message = await receive()
    body = json.dumps({"hello": json.loads(message["body"])["name"]}, separators=(",", ":")).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})`,
  ],
  "Lua, handler": [
    "lua",
    "function handler(ctx, event)\n  return { body = json.encode({ hello = json.decode(event.body).name }) }\nend",
  ],
} as const;

export async function functions(): Promise<Table[]> {
  const ours = await startOurs();
  const bare = await startNodeRival("bare-http.mjs");
  const uvicorn = await startUvicorn(FUNCTIONS[ASGI][1], BODY);
  const targets: Target[] = [];
  for (const [name, [language, code]] of Object.entries(FUNCTIONS)) {
    const path = name.toLowerCase().replaceAll(/\W+/g, "-");
    await ours.server.upload(path, language, code);
    const target = { name, url: `${ours.url}/fn/${path}`, body: BODY, pid: ours.pid };
    for (let call = 0; call < 20; call++) {
      const { text } = await postOk(target.url, BODY);
      if (text !== ANSWER) throw new Error(`${name} answers ${text}`);
    }
    targets.push(target);
  }
  const bareInput = JSON.stringify({ input: { name: "world" } });
  const all = [...targets, { name: "bare", url: `${bare.url}/run/hello`, body: bareInput, pid: bare.pid }];
  if (uvicorn !== undefined) all.push({ name: "uvicorn", url: uvicorn.url, body: BODY, pid: uvicorn.pid });
  const atPeak = await alternate(all, () => PEAK_CONNECTIONS, SHAPE);
  const atOne = await alternate(all, () => 1, SHAPE);
  await bare.stop();
  await uvicorn?.stop();
  await ours.stop();
  const limit = of(atPeak, "bare");
  const rows = targets.map(({ name }): Row => {
    const peak = of(atPeak, name);
    const share = peak.requestsPerS / limit.requestsPerS;
    // What an ASGI server of its own makes is the limit of an ASGI application.
    const rival = name === ASGI && uvicorn !== undefined ? of(atPeak, "uvicorn").requestsPerS : undefined;
    const p50Us = added(atOne, name, "bare", (one) => one.p50Us);
    const p99Us = added(atOne, name, "bare", (one) => one.p99Us);
    return {
      what: name,
      ours: `${perS(peak.requestsPerS)} = ${ratio(share)}, CPU ${us(peak.cpuUsPerRequest)}, one connection p50 + ${us(p50Us)}, p99 + ${us(p99Us)}${peak.errors > 0 ? `, ${peak.errors} ERRORS` : ""}`,
      ...(rival === undefined ? {} : { rivals: `uvicorn ${perS(rival)}, ours ${ratio(peak.requestsPerS / rival)}` }),
      limit: `bare ${perS(limit.requestsPerS)}`,
      target: `≥ ${ratio(LEAST_SHARE)}${rival === undefined ? "" : " of uvicorn"}, 0 errors, p50 + ≤ ${us(MOST_ADDED_P50_US)}`,
      ok:
        peak.errors === 0 &&
        p50Us <= MOST_ADDED_P50_US &&
        (rival === undefined ? share : peak.requestsPerS / rival) >= LEAST_SHARE,
    };
  });
  const title = `Warm calls of functions over HTTP, ${PEAK_CONNECTIONS} connections (P1) and one (P2), ${GENERATOR}`;
  return [{ title, rows }];
}
