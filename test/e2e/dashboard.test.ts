// How the dashboard's files are served, and that the programs it offers to begin with are right; test/browser has what people see.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type ServerUnderTest, startServer } from "../server-under-test.ts";

const DASHBOARD = join(import.meta.dirname, "../../dashboard");
const TEMPLATES = join(DASHBOARD, "src/templates/code");
const LANGUAGES: Readonly<Record<string, string>> = {
  js: "javascript",
  ts: "typescript",
  py: "python",
  lua: "lua",
  go: "go",
};

let server: ServerUnderTest;
before(async () => {
  server = await startServer({ MAX_CONTAINERS: "8" });
});
after(() => server.dispose());

test("a browser that opens the address gets the dashboard, everything else the words that it always got", async () => {
  const browser = await fetch(`${server.url}/`, { headers: { Accept: "text/html,*/*;q=0.8" }, redirect: "manual" });
  const curl = await fetch(`${server.url}/`, { headers: { Accept: "*/*" } });

  assert.deepEqual([browser.status, browser.headers.get("location")], [302, "/ui/"]);
  assert.equal(curl.status, 200);
  assert.match(await curl.text(), /^Cloche \S+ is running\./);
});

test("every address of a page is the app, with a policy that lets in no script but its own", async () => {
  for (const path of ["/ui/", "/ui/functions", "/ui/functions/math%2Fadd/code", "/ui/executions/0190", "/ui/a.b/c"]) {
    const response = await fetch(server.url + path);
    const policy = response.headers.get("content-security-policy") ?? "";

    assert.equal(response.status, 200, path);
    assert.match(await response.text(), /<div id="root">/);
    assert.equal(response.headers.get("cache-control"), "no-cache");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.match(policy, /default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(policy, /script-src[^;]*(?:unsafe|\*|http)/);
    assert.match(policy, /frame-ancestors 'none'/);
  }
});

test("assets are kept for ever, come compressed as the client takes them, and are the same in each form", async () => {
  const page = await (await fetch(`${server.url}/ui/`)).text();
  const [, path = ""] = /src="(\/ui\/assets\/[^"]+\.js)"/.exec(page) ?? [];
  const [plain, gzipped, brotli] = await Promise.all([raw(path, ""), raw(path, "gzip"), raw(path, "gzip, br")]);

  assert.deepEqual(
    [plain, gzipped, brotli].map(({ headers }) => headers["content-encoding"]),
    [undefined, "gzip", "br"],
  );
  assert.equal(gunzipSync(gzipped.body).equals(plain.body), true);
  assert.equal(brotliDecompressSync(brotli.body).equals(plain.body), true);
  assert.equal(plain.headers["cache-control"], "public, max-age=31536000, immutable");
  assert.match(plain.headers["content-type"] ?? "", /^text\/javascript/);
  assert.equal((await raw(path, "br;q=0, gzip;q=0")).headers["content-encoding"], undefined);
});

test("what a browser has already is not sent again", async () => {
  const first = await fetch(`${server.url}/ui/`);
  const again = await fetch(`${server.url}/ui/`, { headers: { "If-None-Match": first.headers.get("etag") ?? "" } });
  const head = await fetch(`${server.url}/ui/`, { method: "HEAD" });

  assert.equal(again.status, 304);
  assert.deepEqual([head.status, await head.text()], [200, ""]);
});

test("nothing but the built files can be had", async () => {
  for (const path of ["/ui/assets/none.js", "/ui/assets/../index.html.br", "/ui/assets/%2e%2e/index.html"]) {
    const { status } = await raw(path, "");
    assert.equal(status, 404, path);
  }
  for (const path of [
    "/ui/../package.json",
    "/ui/..%2fpackage.json",
    "/ui//etc/passwd",
    "/ui/.built",
    "/ui/built-from.txt",
  ]) {
    const { status, body } = await raw(path, "");
    assert.ok(
      status === 404 || body.toString().includes('<div id="root">'),
      `${path}: ${body.toString().slice(0, 80)}`,
    );
  }
  assert.equal((await fetch(`${server.url}/ui/`, { method: "POST" })).status, 405);
});

async function canBuildGo(): Promise<boolean> {
  const { builders } = (await (await fetch(`${server.url}/api/system`)).json()) as {
    builders: { language: string; found: boolean }[];
  };
  return builders.some(({ language, found }) => language === "go" && found);
}

interface Expected {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly answer: RegExp;
  readonly status?: number;
}

const EXPECTED: Readonly<Record<string, readonly Expected[]>> = {
  hello: [
    { path: "?name=Ada", answer: /^\{"hello": ?"Ada"\}\n?$/ },
    { path: "", answer: /^\{"hello": ?"world"\}\n?$/ },
  ],
  "json-api": [
    { method: "POST", body: '{"a": 19, "b": 23}', answer: /^\{"sum": ?42\}\n?$/ },
    { method: "POST", body: '{"a": 19}', answer: /must be numbers/, status: 400 },
    { method: "POST", body: "not JSON", answer: /must be numbers/, status: 400 },
    { answer: /POST/, status: 405 },
  ],
  counter: [{ answer: /^\{"count": ?1\}$/ }, { answer: /^\{"count": ?2\}$/ }],
  webhook: [{ method: "POST", body: "{}", answer: /WEBHOOK_SECRET/, status: 503 }],
  router: [
    { path: "/users", answer: /Ada.*Grace/ },
    { path: "/users/2", answer: /Grace/ },
    { path: "/users/3", answer: /not found/, status: 404 },
    { path: "/nowhere", answer: /not found/, status: 404 },
    { method: "POST", path: "/users", answer: /not this method/, status: 405 },
    { answer: /routes/ },
  ],
  "scheduled-job": [{ answer: /^\{"runs": ?\["[^"]+"\]\}$/ }, { answer: /^\{"runs": ?\["[^"]+", ?"[^"]+"\]\}$/ }],
  streaming: [{ answer: /^id: 1\ndata: 20\S+\n\n(?:id: \d\ndata: 20\S+\n\n){4}$/ }],
  "ai-proxy": [
    { method: "POST", body: '{"question": "why?"}', answer: /OPENAI_API_KEY/, status: 503 },
    { method: "POST", body: "{}", answer: /question/, status: 400 },
  ],
};

for (const file of readdirSync(TEMPLATES)) {
  test(`the template ${file} does what it says`, async (t) => {
    const [id = "", ending = ""] = file.split(".");
    if (ending === "go" && !(await canBuildGo())) {
      t.skip("there is no Go on this machine");
      return;
    }
    const name = `template-${id}-${ending}`;
    const code = readFileSync(join(TEMPLATES, file), "utf8");
    const made = await server.post("/api/functions", { name, language: LANGUAGES[ending], code });
    assert.equal(made.status, 201, await made.text());

    for (const { method = "GET", path = "", body, answer, status = 200 } of EXPECTED[id] ?? []) {
      const response = await fetch(`${server.url}/fn/${name}${path}`, {
        method,
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      assert.match(text, answer, `${method} ${path} ${body ?? ""}`);
      assert.equal(response.status, status, text);
    }
  });
}

test("each template has a test, and says its name in both languages", () => {
  const ids = new Set(readdirSync(TEMPLATES).map((file) => file.split(".")[0] ?? ""));
  assert.deepEqual([...ids].toSorted(), Object.keys(EXPECTED).toSorted());
  for (const language of ["en", "zh"]) {
    const text = readFileSync(join(DASHBOARD, `src/messages/templates.${language}.ts`), "utf8");
    for (const id of ids) assert.ok(text.includes(`${id}-about`), `${id} in ${language}`);
  }
});

test("a webhook that is signed with the secret is taken, in every language", async () => {
  const body = '{"action": "opened"}';
  const signature = `sha256=${createHmac("sha256", "s3cret").update(body).digest("hex")}`;
  for (const ending of ["js", "ts", "py", "lua"]) {
    const name = `signed-${ending}`;
    const code = readFileSync(join(TEMPLATES, `webhook.${ending}`), "utf8");
    const made = await server.post("/api/functions", { name, language: LANGUAGES[ending], code });
    assert.equal(made.status, 201, await made.text());
    const set = await fetch(`${server.url}/api/functions/${name}/secrets/WEBHOOK_SECRET`, {
      method: "PUT",
      body: JSON.stringify({ value: "s3cret" }),
    });
    assert.equal(set.status, 204);
    const call = async (given: string): Promise<number> => {
      const headers = { "X-Hub-Signature-256": given, "X-GitHub-Event": "issues" };
      return (await fetch(`${server.url}/fn/${name}`, { method: "POST", body, headers })).status;
    };
    assert.deepEqual([await call(signature), await call(signature.replace(/.$/, "x"))], [202, 401], ending);
  }
});

/** As it is on the wire: neither the path nor the body is touched on the way. */
function raw(
  path: string,
  acceptEncoding: string,
): Promise<{ status: number; headers: Record<string, string | undefined>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const headers = acceptEncoding === "" ? {} : { "Accept-Encoding": acceptEncoding };
    get({ hostname, port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string | undefined>,
          body: Buffer.concat(chunks),
        }),
      );
    }).on("error", reject);
  });
}
