// The Request that a handler gets and the Response that it makes stand in for Node's own. Whatever code does with them must come out as
// it does with Node's own, which this file has: each probe is tried on both.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { inspect } from "node:util";
import { TestServer } from "./server-under-test.ts";
import { boundShim } from "./worker-under-test.ts";

type Probe = (request: Request) => unknown;

const HEADERS: readonly (readonly [string, string])[] = [
  ["host", "example.org:81"],
  ["content-type", "application/json"],
  ["x-in", "1"],
  ["x-in", "2"],
  ["cookie", "a=1"],
];
const BODY = '\uFEFF{"name":"wörld","n":[1,2]}';
const PATH = "/fn/a/../math%20add";
const URL_AS_SENT = `http://example.org:81${PATH}?a=1`;

/** Told of anything, so that it can be compared. */
async function told(value: unknown): Promise<unknown> {
  if (value instanceof Response) {
    const { status, statusText, ok, type, redirected, url, bodyUsed } = value;
    const headers = [...value.headers];
    return { status, statusText, ok, type, redirected, url, bodyUsed, headers, text: await value.text() };
  }
  if (value instanceof Request) {
    const { method, url, redirect, mode, credentials, keepalive, duplex } = value as Request & { duplex: string };
    const headers = [...value.headers];
    return { method, url, redirect, mode, credentials, keepalive, duplex, headers, text: await value.text() };
  }
  if (value instanceof Blob) return { type: value.type, text: await value.text() };
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof FormData) return [...value];
  return value === undefined ? "undefined" : value;
}

const OF_A_REQUEST: Readonly<Record<string, Probe>> = {
  itself: (request) => request,
  "its json": (request) => request.json(),
  "its text": (request) => request.text(),
  "its bytes": (request) => request.bytes(),
  "its buffer": (request) => request.arrayBuffer(),
  "its blob": (request) => request.blob(),
  "a body that is no form": (request) => request.formData(),
  "its json, twice": async (request) => [await request.json(), await request.json()],
  "its text, then all of it": async (request) => [await request.text(), request.bodyUsed, await request.blob()],
  "its text, then a clone": async (request) => [await request.text(), request.clone()],
  "its text, then a Request of it": async (request) => [await request.text(), await told(new Request(request))],
  "its text, then its stream": async (request) => {
    await request.text();
    return [request.body?.locked, request.bodyUsed];
  },
  "its stream": async (request) => {
    const pieces = [];
    for await (const piece of request.body as unknown as AsyncIterable<Uint8Array>) pieces.push(...piece);
    return [pieces, request.bodyUsed];
  },
  "its stream, then its text": async (request) => {
    request.body?.getReader();
    return await request.text();
  },
  "a clone, and it": async (request) => [await told(request.clone()), await told(request)],
  "a Request of it": (request) => new Request(request),
  "a Request of it, changed": (request) =>
    new Request(request, { method: "PUT", headers: { "x-a": "b" }, body: "new" }),
  "a Request of it, at another place": (request) => new Request("http://other.example/", request),
  "a Request of it, and then it": async (request) => [await told(new Request(request)), request.bodyUsed],
  "a Request of nothing": () => new Request(undefined as unknown as string),
  "what it is": (request) => [
    request instanceof Request,
    Object.prototype.toString.call(request),
    request.constructor === Request,
    request.constructor.name,
    typeof Request,
    Object.keys(request),
    "json" in request,
    Object.hasOwn(request, "url"),
  ],
  "its names": (request) => {
    const names = [];
    for (const name in request) names.push(name);
    return names.toSorted();
  },
  "all that can be asked": (request) => {
    const { cache, credentials, destination, integrity, keepalive, mode, redirect, referrer, referrerPolicy } = request;
    const { aborted } = request.signal;
    return [cache, credentials, destination, integrity, keepalive, mode, redirect, referrer, referrerPolicy, aborted];
  },
  "its headers": (request) => [...request.headers, request.headers.get("X-In"), request.headers.has("nope")],
  "headers that are set, then it": (request) => {
    request.headers.set("x-in", "3");
    return request;
  },
  "headers that are the same": (request) => request.headers === request.headers,
  "headers that are set, then a Request of it": (request) => {
    request.headers.append("x-more", "4");
    return new Request(request);
  },
  "an attribute that is set": (request) => {
    assert.throws(() => ((request as { url: string }).url = "x"), TypeError);
    return request.url;
  },
  "something of the user's": (request) => Object.assign(request, { user: { id: 1 } }).user,
  "a method without its object": (request) => (0, request.text)(),
  "a Request that is inherited from": (request) => {
    class Mine extends Request {
      get path(): string {
        return new URL(this.url).pathname;
      }
    }
    const mine = new Mine(request);
    return [mine instanceof Mine, mine instanceof Request, mine.path, mine.method, request.bodyUsed];
  },
  "a fetch of it": async (request) => {
    const { port } = new URL("http://127.0.0.1:1/");
    return await fetch(new Request(`http://127.0.0.1:${port}`, request)).catch((error: Error) => error.name);
  },
  "fetch itself": () => [fetch.name, fetch.length, typeof fetch],
};

const OF_A_RESPONSE: Readonly<Record<string, Probe>> = {
  text: () => new Response("wörld"),
  nothing: () => new Response(),
  null: () => new Response(null, { status: 204 }),
  bytes: () => new Response(new Uint8Array([1, 2, 255])),
  "bytes that change later": () => {
    const bytes = new Uint8Array([1, 2]);
    const response = new Response(bytes);
    bytes[0] = 9;
    return response;
  },
  "a part of bytes": () => new Response(Buffer.from("abcdef").subarray(2, 4)),
  "a buffer": () => new Response(new Uint8Array([104, 105]).buffer),
  "a blob": () => new Response(new Blob(["blob"], { type: "text/x" })),
  "a stream": () => new Response(new Blob(["a", "b"]).stream()),
  parameters: () => new Response(new URLSearchParams({ a: "b c" })),
  "a number": () => new Response(5 as unknown as string),
  "an object": () => new Response({} as unknown as string),
  "a String": () => new Response(new String("boxed") as string),
  "half a surrogate pair": () => new Response("a\ud800b"),
  "a status": () => new Response("x", { status: 404 }),
  "a status as text": () => new Response("x", { status: "404" as unknown as number }),
  "a status and its text": () => new Response("x", { status: 404, statusText: "Oh" }),
  "a status of none": () => new Response("x", { status: 99 }),
  "a status with a fraction": () => new Response("x", { status: 200.5 }),
  "a status that has no body": () => new Response("x", { status: 204 }),
  "a status that is undefined": () => new Response("x", { status: undefined as unknown as number }),
  "null for all else": () => new Response("x", null as unknown as object),
  headers: () => new Response("x", { headers: { "X-A": "1", "content-type": "text/html" } }),
  "headers as a list": () =>
    new Response("x", {
      headers: [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    }),
  "headers as Headers": () => new Response("x", { headers: new Headers({ "x-a": " 1 " }) }),
  "headers that are null": () => new Response("x", { headers: null as unknown as object }),
  "headers that are changed later": () => {
    const headers = new Headers({ "x-a": "1" });
    const response = new Response("x", { headers });
    headers.set("x-a", "2");
    return response;
  },
  "another Response for all else": () => new Response("x", new Response("y", { status: 201, headers: { "x-a": "1" } })),
  "headers that cannot be": () => new Response("x", { headers: { "x a": "1" } }),
  "a header with a line break": () => new Response("x", { headers: { "x-a": "1\r\nb: 2" } }),
  "headers that are set": () => {
    const response = new Response("x");
    response.headers.set("x-a", "1");
    response.headers.delete("content-type");
    return response;
  },
  json: () => Response.json({ a: [1, "ö"] }),
  "json of null": () => Response.json(null),
  "json of nothing": () => Response.json(undefined),
  "json of what is none": () => Response.json(1n),
  "json that has a type": () => Response.json({}, { headers: { "content-type": "application/x+json" }, status: 201 }),
  "json that has another header": () => Response.json({}, { headers: { "x-a": "1" } }),
  "json with a status that has no body": () => Response.json({}, { status: 204 }),
  "an error": () => Response.error(),
  "a redirect": () => Response.redirect("http://a.example/b", 303),
  "a redirect to nowhere": () => Response.redirect("nowhere"),
  "a call without new": () => (Response as unknown as () => Response)(),
  "a clone, and it": async () => {
    const response = new Response("x", { headers: { "x-a": "1" } });
    response.headers.set("x-b", "2");
    return [await told(response.clone()), await told(response)];
  },
  "its parts": async () => {
    const response = Response.json({ a: 1 });
    return [response.status, response.ok, await response.json(), response.bodyUsed, response.body?.locked];
  },
  "it, read twice": async () => {
    const response = new Response("x");
    return [await response.text(), await response.text()];
  },
  "its headers, the same before and after": async () => {
    const response = new Response("x");
    response.headers.set("x-a", "1");
    await response.text();
    return [...response.headers];
  },
  "its stream": async () => {
    const pieces = [];
    for await (const piece of new Response("wörld").body as unknown as AsyncIterable<Uint8Array>) pieces.push(...piece);
    return pieces;
  },
  "no stream": () => new Response(null).body === null,
  "a Response of its stream": () => new Response(new Response("x").body, { status: 202 }),
  "what it is": () => {
    const response = new Response("x");
    return [
      response instanceof Response,
      Object.prototype.toString.call(response),
      response.constructor === Response,
      response.constructor.name,
      Response.name,
      Response.length,
      typeof Response,
      Object.keys(response),
      Response.json({}) instanceof Response,
      Response.json.name,
      Response.json.length,
    ];
  },
  "its names": () => {
    const names = [];
    for (const name in new Response("x")) names.push(name);
    return names.toSorted();
  },
  "one that is inherited from": () => {
    class Mine extends Response {
      constructor(text: string) {
        super(text, { status: 202 });
      }
      get twice(): number {
        return this.status * 2;
      }
    }
    const mine = new Mine("x");
    return [mine instanceof Mine, mine instanceof Response, mine.status, mine.twice, mine.headers.get("content-type")];
  },
  "one of another place": async () => {
    const response = await fetch("data:text/plain,hello");
    return [response instanceof Response, response.constructor === Response, await response.text()];
  },
  "an attribute that is set": () => {
    const response = new Response("x");
    assert.throws(() => ((response as { status: number }).status = 500), TypeError);
    return response;
  },
};

/** In the worker. Its own `told` is this file's, and so are the probes, as text. */
function program(probes: Readonly<Record<string, Probe>>): string {
  const listed = Object.entries(probes).map(([name, probe]) => `${JSON.stringify(name)}: ${probe.toString()}`);
  return `
    import assert from "node:assert/strict";
    ${told.toString()}
    const probes = { ${listed.join(",\n")} };
    const error = ({ name, message }) => ({ name, message });
    export default async (request) => {
      const name = decodeURIComponent(request.headers.get("x-probe") ?? "");
      try { return Response.json({ told: await told(await probes[name](request)) }); }
      catch (thrown) { return Response.json({ error: error(thrown) }); }
    };`;
}

async function expectedOf(probe: Probe, headers: readonly (readonly [string, string])[]): Promise<unknown> {
  const request = new Request(URL_AS_SENT, { method: "POST", headers: headers.map(([a, b]) => [a, b]), body: BODY });
  try {
    return { told: await told(await probe(request)) };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message } };
  }
}

async function serve(t: TestContext, code: string): Promise<TestServer> {
  return new TestServer(await boundShim(t, code, "javascript", { function: { id: "f1", name: "f", version: "1" } }));
}

for (const [what, probes] of Object.entries({ Request: OF_A_REQUEST, Response: OF_A_RESPONSE })) {
  test(`whatever code does with a ${what} comes out as with Node's own`, async (t) => {
    const server = await serve(t, program(probes));
    for (const [name, probe] of Object.entries(probes)) {
      await t.test(name, async () => {
        const headers = [...HEADERS, ["x-probe", encodeURIComponent(name)]] as const;
        const { body } = await server.ask({ method: "POST", path: PATH, query: "a=1", headers, body: BODY });
        const expected = JSON.stringify(await expectedOf(probe, headers));
        assert.deepEqual(JSON.parse(body), JSON.parse(expected), inspect(name));
      });
    }
  });
}

test("whatever a handler answers goes out as Node's own Response would", async (t) => {
  const answers = Object.fromEntries(
    Object.entries(OF_A_RESPONSE).filter(
      ([name]) => !/twice|parts|what|names|stream$|inherited|same|place|clone/.test(name),
    ),
  );
  const listed = Object.entries(answers).map(([name, answer]) => `${JSON.stringify(name)}: ${answer.toString()}`);
  const server = await serve(
    t,
    `import assert from "node:assert/strict";
     const answers = { ${listed.join(",\n")} };
     export default (request) => answers[decodeURIComponent(request.headers.get("x-probe"))]();`,
  );
  for (const [name, answer] of Object.entries(answers)) {
    await t.test(name, async () => {
      const headers = [["x-probe", encodeURIComponent(name)]] as const;
      const { end, status, headers: sent, body } = await server.ask({ method: "POST", path: "/", headers });
      let expected: unknown;
      try {
        expected = await answer(new Request("http://a/"));
      } catch {
        assert.equal(end.t, "error");
        return;
      }
      if (!(expected instanceof Response) || expected.status < 200) assert.equal(end.t, "error");
      else {
        assert.equal(status, expected.status);
        assert.deepEqual(sent, [...expected.headers]);
        assert.equal(body, await expected.text());
      }
    });
  }
});

test("a long answer and a long body are whole", async (t) => {
  const server = await serve(t, "export default async (request) => new Response((await request.text()).repeat(2))");
  const body = "ö".repeat(100_000);
  assert.equal((await server.ask({ method: "POST", path: "/", body })).body, body.repeat(2));
});
