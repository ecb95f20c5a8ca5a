// The examples that do something with a body or a stream, beyond what their READMEs show.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { type ServerUnderTest, startServer } from "../../server-under-test.ts";
import { makePng, readPixels } from "./png.fixture.ts";
import { deployAsReadme } from "./readme.ts";

const NAMES = [
  ...["csv-report", "form-upload", "image-thumbnail", "markdown-page", "rate-limited-api", "sse-clock"],
  ...["streaming-generator", "unit-converter", "webhook-python", "word-count", "wsgi-app"],
];

let server: ServerUnderTest;
before(async () => {
  server = await startServer({ MAX_CONTAINERS: "12" });
  for (const name of NAMES) await deployAsReadme(name, server);
});
after(() => server.dispose());

type Body = NonNullable<RequestInit["body"]>;

function call(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`${server.url}/fn/${path}`, init);
}

function post(path: string, body: Body, headers: Record<string, string> = {}): Promise<Response> {
  return call(path, { method: "POST", body, headers });
}

suite("the CSV report", () => {
  test("is made of a file that is larger than the memory of its sandbox", async () => {
    const rows = 64; // in each of 2,400 pieces of 64 KiB: 150 MiB
    const piece = Buffer.from(`north,1,${"x".repeat(1011)}\nsouth,2,${"x".repeat(1011)}\n`.repeat(rows / 2));
    let left = 2400;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from("region,amount,note\n")),
      pull: (controller) => (left-- > 0 ? controller.enqueue(piece) : controller.close()),
    });
    const response = await call("csv-report?group=region&value=amount", { method: "POST", body, duplex: "half" });

    assert.equal(response.status, 200, await response.clone().text());
    const count = (2400 * rows) / 2;
    assert.deepEqual(await response.json(), {
      rows: 2 * count,
      groups: { north: { count, sum: count, min: 1, max: 1 }, south: { count, sum: 2 * count, min: 2, max: 2 } },
    });
  });

  test("is a page for browsers, in which the file's texts are only texts", async () => {
    const csv = "\uFEFFteam,points\n<script>,1e2\n";
    const response = await post("csv-report?group=team&value=points", csv, { Accept: "text/html,*/*" });

    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(await response.text(), /<tr><td>&lt;script&gt;<\/td><td>1<\/td><td>100<\/td>/);
  });

  test("says what is wrong with a file, and in which line", async () => {
    const errorOf = async (csv: Body, query = "?group=a&value=b"): Promise<unknown> => {
      const response = await post(`csv-report${query}`, csv);
      return [response.status, ((await response.json()) as { error: string }).error];
    };

    assert.deepEqual(await errorOf("a,c\n"), [422, "there is no column 'b'"]);
    assert.deepEqual(await errorOf(""), [422, "there is no column 'a'"]);
    assert.deepEqual(await errorOf("a,b\nx,1\nx,nan\n"), [422, "line 3: 'nan' is not a number"]);
    assert.deepEqual(await errorOf("a,b\nx\n"), [422, "line 2: None is not a number"]);
    assert.match(String(await errorOf(Buffer.from("a,b\n\xff,1\n", "latin1"))), /^422,line 2: .*utf-8/);
    assert.deepEqual(await errorOf("", "?group=a"), [400, "the query must name two columns: group and value"]);
  });
});

suite("the form", () => {
  test("comes with GET, and takes files of any bytes", async () => {
    const shown = await call("form-upload");
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    const form = new FormData();
    form.set("note", "zwölf");
    form.append("file", new File([bytes], "a b.bin", { type: "application/x-mine" }));
    form.append("file", new File([], "empty"));
    const response = await post("form-upload", form);

    assert.match(await shown.text(), /<form method="post" enctype="multipart\/form-data">/);
    const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
    assert.deepEqual(await response.json(), {
      texts: { note: "zwölf" },
      files: [
        { field: "file", name: "a b.bin", type: "application/x-mine", bytes: 100_000, sha256: sha256(bytes) },
        {
          ...{ field: "file", name: "empty", type: "application/octet-stream", bytes: 0 },
          sha256: sha256(new Uint8Array()),
        },
      ],
    });
  });

  test("refuses a body that is none", async () => {
    assert.equal((await post("form-upload", "text")).status, 400);
    assert.equal((await call("form-upload", { method: "DELETE" })).status, 405);
  });
});

suite("the thumbnail", () => {
  const WIDTH = 7;
  const HEIGHT = 10; // each of the five filters twice

  for (const type of ["grey", "rgb", "palette", "grey-alpha", "rgba"] as const) {
    test(`of a small ${type} picture is the picture, whatever filters its rows have`, async () => {
      const { file, pixels } = makePng(WIDTH, HEIGHT, type);
      const response = await post("image-thumbnail", new Uint8Array(file));

      assert.equal(response.status, 200, await response.clone().text());
      assert.deepEqual([...readPixels(Buffer.from(await response.arrayBuffer()), WIDTH, HEIGHT)], [...pixels]);
    });
  }

  test("is no larger than asked for, keeps the shape, and has the mean colour", async () => {
    const { file } = makePng(300, 150, "rgb", () => [200, 100, 50, 255]);
    const response = await post("image-thumbnail?size=20", new Uint8Array(file));
    const pixels = readPixels(Buffer.from(await response.arrayBuffer()), 20, 10);

    assert.deepEqual([response.headers.get("content-type"), response.headers.get("x-size")], ["image/png", "20x10"]);
    for (let at = 0; at < pixels.length; at += 4) {
      assert.deepEqual([...pixels.subarray(at, at + 4)], [200, 100, 50, 255]);
    }
  });

  test("has no colour of what cannot be seen", async () => {
    const { file } = makePng(2, 1, "rgba", (x) => (x === 0 ? [255, 0, 0, 255] : [0, 255, 0, 0]));
    const response = await post("image-thumbnail?size=1", new Uint8Array(file));

    assert.deepEqual([...readPixels(Buffer.from(await response.arrayBuffer()), 1, 1)], [255, 0, 0, 128]);
  });

  test("is refused for what is no picture, damaged, or would be too large", async () => {
    const { file } = makePng(WIDTH, HEIGHT, "rgb");
    const huge = Buffer.from(file);
    huge.writeUInt32BE(60_000, 16);
    huge.writeUInt32BE(60_000, 20);
    const taller = Buffer.from(file);
    taller.writeUInt32BE(HEIGHT + 1, 20);
    const bodies = {
      text: Buffer.from("GIF89a"),
      cut: file.subarray(0, 60),
      start: file.subarray(0, 20),
      huge,
      taller,
    };
    for (const [what, body] of Object.entries(bodies)) {
      assert.equal((await post("image-thumbnail", new Uint8Array(body))).status, 415, what);
    }
    assert.equal((await post("image-thumbnail?size=0", new Uint8Array(file))).status, 400);
    assert.equal((await call("image-thumbnail")).status, 405);
  });
});

suite("the Markdown page", () => {
  test("has pages, and says where there is none", async () => {
    const [welcome, about, none] = await Promise.all(
      ["", "/about", "/none"].map((path) => call(`markdown-page${path}`)),
    );

    assert.match((await welcome?.text()) ?? "", /<title>Welcome<\/title>[\s\S]*<strong>Markdown<\/strong>/);
    assert.match(
      (await about?.text()) ?? "",
      /<pre><code>import template from &quot;\.\/page\.html&quot;;<\/code><\/pre>/,
    );
    assert.equal(about?.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(none?.status, 404);
  });

  test("shows what could be a script, and runs none", async () => {
    const markdown = [
      ...["# <script>alert(1)</script> $& $1", "[link](javascript:alert(1))", '[q](/a"onclick="x)'],
      ...["`**plain**` **bold *both***", "```\n# no heading\n\n<b>\n```", "- one\n- [two](https://example.com/?a&b)"],
    ].join("\n\n");
    const html = await (await post("markdown-page", markdown)).text();

    assert.match(html, /<h1>&lt;script&gt;alert\(1\)&lt;\/script&gt; \$&amp; \$1<\/h1>/);
    assert.match(html, /<p>\[link\]\(javascript:alert\(1\)\)<\/p>/);
    assert.doesNotMatch(html, /<script|"onclick|href="javascript/);
    assert.match(html, /<code>\*\*plain\*\*<\/code>/);
    assert.match(html, /<pre><code># no heading\n\n&lt;b&gt;<\/code><\/pre>/);
    assert.match(html, /<li><a href="https:\/\/example\.com\/\?a&amp;b">two<\/a><\/li>/);
  });
});

suite("the rate-limited API", () => {
  test("refuses a call too many with 429, and says when to come back", async () => {
    const responses: Response[] = [];
    for (let n = 0; n < 3; n++) responses.push(await call("rate-limited-api?n=12"));
    const refused = responses[2];

    assert.deepEqual(await responses[0]?.json(), { number: 12, factors: [2, 2, 3] });
    assert.deepEqual(
      responses.map(({ status }) => status),
      [200, 200, 429],
    );
    const retryAfterS = Number(refused?.headers.get("retry-after"));
    assert.ok(retryAfterS >= 1 && retryAfterS <= 30, String(retryAfterS)); // two a minute: one every 30 s
    assert.equal(refused?.headers.get("x-error-source"), "platform");
    assert.equal(refused?.headers.get("x-execution-id"), null);
  });
});

suite("the clock", () => {
  test("ticks while its client listens, and goes on after what the client saw last", async () => {
    const response = await call("sse-clock?ticks=3&intervalMs=600", { headers: { "Last-Event-ID": "7" } });
    const arrivedMs: number[] = [];
    let text = "";
    for await (const chunk of response.body ?? []) {
      arrivedMs.push(performance.now());
      text += Buffer.from(chunk).toString();
    }

    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.deepEqual(
      [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)),
      [8, 9, 10],
    );
    assert.match(text, /^(?:id: \d+\ndata: [-\d]+T[:.\d]+Z\n\n){3}$/);
    assert.ok((arrivedMs.at(-1) ?? 0) - (arrivedMs[0] ?? 0) > 250, "the events came one after the other");
  });
});

suite("the plan of a loan", () => {
  test("streams, and ends with nothing left to pay", async () => {
    const response = await call("streaming-generator?amount=200000&percent=4.5&months=360");
    const lines = (await response.text()).trimEnd().split("\n");

    assert.deepEqual(
      [response.headers.get("content-type"), response.headers.get("content-length")],
      ["text/csv", null],
    );
    assert.equal(lines.length, 361);
    assert.match(lines[1] ?? "", /^1,1013\.37,750\.00,/);
    assert.match(lines.at(-1) ?? "", /^360,.*,0\.00$/);
  });

  test("refuses what is no loan", async () => {
    for (const query of [
      "",
      "amount=x&percent=1&months=1",
      "amount=1&percent=1&months=1.5",
      "amount=nan&percent=1&months=1",
      "amount=1&percent=1e-30&months=1",
    ]) {
      assert.equal((await call(`streaming-generator?${query}`)).status, 400, query);
    }
  });
});

suite("the unit converter", () => {
  test("takes its parameters from the query, JSON and forms alike", async () => {
    const parameters = { value: "10", from: "lb", to: "kg" };
    const form = new URLSearchParams(parameters);
    const responses = await Promise.all([
      call(`unit-converter?${String(form)}`),
      post("unit-converter", JSON.stringify(parameters), { "Content-Type": "application/json" }),
      post("unit-converter", String(form), { "Content-Type": "application/x-www-form-urlencoded" }),
    ]);

    for (const response of responses) assert.deepEqual(await response.json(), { value: 4.5359237, unit: "kg" });
  });

  test("refuses what cannot be converted", async () => {
    for (const query of [
      "",
      "value=&from=m&to=km",
      "value=1&from=m",
      "value=1&from=m&to=toString",
      "value=1e999&from=m&to=m",
    ]) {
      assert.equal((await call(`unit-converter?${query}`)).status, 400, query);
    }
  });
});

suite("the webhook in Python", () => {
  const signatureOf = (body: Uint8Array): string =>
    `sha256=${createHmac("sha256", "correct horse").update(body).digest("hex")}`;

  test("refuses a wrong, a strange and a missing signature with 401", async () => {
    const good = signatureOf(Buffer.from("{}"));
    for (const signature of ["", "sha256=", good.slice(0, -1), good.toUpperCase(), "sha256=\u00ff"]) {
      assert.equal((await post("webhook-python", "{}", { "X-Hub-Signature-256": signature })).status, 401, signature);
    }
    assert.equal((await post("webhook-python", "{}")).status, 401);
    assert.equal((await post("webhook-python", "{}", { "X-Hub-Signature-256": good })).status, 202);
  });

  test("checks the bytes that came, text or not", async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x7b]);
    const response = await post("webhook-python", bytes, { "X-Hub-Signature-256": signatureOf(bytes) });

    assert.deepEqual([response.status, await response.json()], [400, { error: "the body is not JSON" }]);
  });

  test("takes nothing once its secret is gone", async () => {
    const secret = `${server.url}/api/functions/webhook-python/secrets/WEBHOOK_SECRET`;
    assert.equal((await fetch(secret, { method: "DELETE" })).status, 204);

    const empty = createHmac("sha256", "").update("{}").digest("hex");
    assert.equal((await post("webhook-python", "{}", { "X-Hub-Signature-256": `sha256=${empty}` })).status, 503);
  });
});

suite("the mirror", () => {
  test("answers with any status, and waits no longer than it may", async () => {
    const empty = await call("wsgi-app/status/204");

    assert.deepEqual([empty.status, await empty.text()], [204, ""]);
    assert.equal((await call("wsgi-app/status/599")).status, 599);
    for (const path of ["status/42", "status/x", "delay/5001", "delay/-1"]) {
      assert.equal((await call(`wsgi-app/${path}`)).status, 400, path);
    }
    for (const path of ["", "/none", "/headers/more", "/status"]) {
      assert.equal((await call(`wsgi-app${path}`)).status, 404, path);
    }
  });
});

test("the word count knows letters of every language, and no text at all", async () => {
  assert.deepEqual(await (await post("word-count", "Über über ÜBER")).json(), { words: 3, most: { über: 3 } });
  assert.deepEqual(await (await call("word-count")).json(), { words: 0, most: {} });
});
