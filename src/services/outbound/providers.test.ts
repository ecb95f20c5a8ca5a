// `ai.chat` and `email.send` against endpoints of a provider's shape, through the gate.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { systemClock } from "../../core/clock.ts";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import { EgressGateProcess } from "../../sandbox/egress/gate-process.ts";
import { Internet } from "../../sandbox/egress/internet.fixture.ts";
import { callerWith } from "./function.fixture.ts";
import { createOutbound } from "./outbound.ts";
import type { AiRecord, EmailRecord } from "./record.ts";

const KEY = "sk-0123456789";
const USER = { role: "user", content: "hi" };

type Row = { readonly executionId: string; readonly kind: string } & Partial<AiRecord & EmailRecord>;

interface Result {
  readonly value?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly code?: string;
  /** What was recorded of the call. */
  readonly rows: readonly Row[];
}

type Env = Readonly<Record<string, string>>;

interface Situation {
  readonly env?: Env;
  readonly egress?: EgressPolicy;
  readonly secrets?: readonly string[];
  readonly longestMs?: number;
}

interface Echo {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let internet: Internet;
let gate: EgressGateProcess;
before(async () => {
  internet = await Internet.open();
  gate = await EgressGateProcess.open({ log: () => {}, launcher: internet.launcher });
  await internet.setName("web.example", ["93.184.216.34"]);
});
after(async () => {
  await gate?.close();
  await internet?.close();
});

async function call(
  name: "ai.chat" | "email.send",
  given: object,
  { env = {}, egress = "public", secrets = [], longestMs = 5_000 }: Situation = {},
): Promise<Result> {
  const rows: Row[] = [];
  const calls = createOutbound({
    ...{ connect: (target, signal) => gate.connect(target, signal), caFile: internet.caFile, clock: systemClock },
    onRecord: (executionId, kind, record) => rows.push({ executionId, kind, ...record }),
    limits: { longestMs },
  });
  const caller = callerWith(egress, env, secrets);
  try {
    const answer = (await calls[name]?.(caller, given as Record<string, unknown>)) ?? "";
    for (const row of rows) assert.equal(row.executionId, caller.executionId);
    return { value: JSON.parse(answer) as Record<string, unknown>, rows };
  } catch (error) {
    const { message, code } = error as Error & { readonly code: string };
    return { error: message, code, rows };
  }
}

/** What the endpoint has seen, which the record keeps as its answer. */
function seen({ rows: [row] }: Result): Echo {
  return JSON.parse(row?.response ?? "") as Echo;
}

const answering = (status: number, value: unknown): string => `answer ${status} ${JSON.stringify(value)}`;

suite("ai.chat", () => {
  const openai = { OPENAI_API_KEY: KEY, OPENAI_ENDPOINT: "http://web.example/" };
  const anthropic = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_ENDPOINT: "https://web.example" };
  const chat = (given: object, env: Env, more: Situation = {}): Promise<Result> =>
    call("ai.chat", { model: "m-1", messages: [USER], ...given }, { env, ...more });

  test("asks OpenAI's API and gives its answer in one shape", async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 5 };
    const content = answering(200, { model: "m-1-0", choices: [{ message: { content: "hello" } }], usage });

    const { value, rows } = await chat({ provider: "openai", messages: [{ role: "user", content }] }, openai);

    assert.deepEqual(value, { content: "hello", model: "m-1-0", usage: { input_tokens: 3, output_tokens: 5 } });
    const [row] = rows;
    assert.equal(rows.length, 1);
    assert.deepEqual(
      [
        row?.kind,
        row?.provider,
        row?.model,
        row?.status,
        row?.endpoint,
        row?.inputTokens,
        row?.outputTokens,
        row?.error,
      ],
      ["ai", "openai", "m-1", "success", "http://web.example/chat/completions", 3, 5, undefined],
    );
    assert.ok((row?.durationMs ?? 0) > 0 && (row?.atMs ?? 0) > 1.6e12);
    assert.match(row?.request ?? "", /"max_tokens":1024/);
    assert.match(row?.response ?? "", /"usage":\{"prompt_tokens":3,"completion_tokens":5\}/);
  });

  test("asks Anthropic's API with the last system message apart, and puts its texts together", async () => {
    const text = (words: string): object => ({ type: "text", text: words });
    const answer = {
      model: "c",
      content: [text("one "), { type: "thinking" }, text("two")],
      usage: { input_tokens: 1, output_tokens: 2 },
    };
    const messages = [
      { role: "system", content: "first" },
      { role: "system", content: "last" },
      { role: "user", content: answering(200, answer) },
    ];

    const { value, rows } = await chat({ provider: "anthropic", messages, max_tokens: 7, temperature: 0.5 }, anthropic);

    assert.deepEqual(value, { content: "one two", model: "c", usage: { input_tokens: 1, output_tokens: 2 } });
    const asked = JSON.parse(rows[0]?.request ?? "") as Record<string, unknown>;
    assert.deepEqual([asked["system"], asked["max_tokens"], asked["temperature"]], ["last", 7, 0.5]);
    assert.deepEqual(
      (asked["messages"] as { role: string }[]).map(({ role }) => role),
      ["user"],
    );
  });

  test("sends the key as each API wants it, and keeps it out of the record", async () => {
    const secrets = [KEY];
    const messages = [{ role: "user", content: `my key is ${KEY}` }];

    // The endpoint answers with what it has seen, which is no answer of a model.
    const first = await chat({ provider: "openai", messages }, openai, { secrets });
    const second = await chat({ provider: "anthropic" }, anthropic, { secrets: [] });

    assert.deepEqual([first.error, second.error], ["no response from OpenAI", "no response from Anthropic"]);
    assert.equal(seen(first).headers["authorization"], "***");
    assert.equal(seen(second).headers["x-api-key"], "***");
    assert.equal(seen(second).headers["anthropic-version"], "2023-06-01");
    for (const row of [...first.rows, ...second.rows]) assert.doesNotMatch(JSON.stringify(row), new RegExp(KEY));
    assert.match(first.rows[0]?.request ?? "", /my key is \*\*\*/);
    assert.equal(first.rows[0]?.status, "error");
  });

  test("goes to the endpoint of the call, then to that of the environment, then to the provider's own", async () => {
    const endpointOf = async (given: object, env: Env): Promise<string | undefined> =>
      (await chat({ provider: "openai", ...given }, env)).rows[0]?.endpoint;

    assert.equal(
      await endpointOf({ endpoint: "http://web.example/echo?" }, openai),
      "http://web.example/echo?/chat/completions",
    );
    assert.equal(await endpointOf({}, openai), "http://web.example/chat/completions");
    assert.equal(await endpointOf({}, { OPENAI_API_KEY: KEY }), "https://api.openai.com/v1/chat/completions");
    const { rows } = await chat({ provider: "anthropic" }, { ANTHROPIC_API_KEY: KEY });
    assert.equal(rows[0]?.endpoint, "https://api.anthropic.com/v1/messages");
  });

  test("says what is missing, in the order of the original, and records nothing", async () => {
    const cases: readonly (readonly [given: object, message: string])[] = [
      [{}, "provider is required (openai or anthropic)"],
      [{ provider: "openai" }, "model is required"],
      [{ provider: "openai", model: "m" }, "messages is required and must be a table"],
      [{ provider: "openai", model: "m", messages: "hi" }, "messages is required and must be a table"],
      [{ provider: "openai", model: "m", messages: [{ role: "user", content: "" }] }, "messages cannot be empty"],
    ];
    for (const [given, message] of cases)
      assert.deepEqual(await call("ai.chat", given, { env: openai }), {
        error: message,
        code: "INVALID_REQUEST",
        rows: [],
      });
  });

  test("fails with what happened, and records it", async () => {
    const said = (status: number, value: unknown): object => ({
      messages: [{ role: "user", content: answering(status, value) }],
    });
    const cases: readonly (readonly [given: object, env: Env, message: RegExp])[] = [
      [{ provider: "other" }, openai, /^unsupported provider: other \(use openai or anthropic\)$/],
      [{ provider: "openai" }, {}, /^OPENAI_API_KEY not set in function environment$/],
      [{ provider: "anthropic" }, {}, /^ANTHROPIC_API_KEY not set in function environment$/],
      [
        { provider: "openai", ...said(429, { error: { message: "slow down" } }) },
        openai,
        /^OpenAI API error: slow down \(HTTP status 429\)$/,
      ],
      [{ provider: "openai", ...said(500, {}) }, openai, /^OpenAI API error: no reason given \(HTTP status 500\)$/],
      [{ provider: "openai", ...said(200, { error: { message: "odd" } }) }, openai, /^OpenAI API error: odd$/],
      [
        { provider: "anthropic", ...said(400, { type: "error", error: { message: "bad" } }) },
        anthropic,
        /^anthropic API error: bad \(HTTP status 400\)$/,
      ],
      [{ provider: "openai", ...said(200, "no object") }, openai, /^failed to parse response: /],
      [
        { provider: "openai", endpoint: "http://10.0.0.5" },
        openai,
        /^HTTP request failed: egress denied: 10\.0\.0\.5 is private$/,
      ],
      [
        { provider: "openai", endpoint: "http://web.example/redirect?to=/echo&x=" },
        openai,
        /^OpenAI API error: no reason given \(HTTP status 302\)$/,
      ],
      [
        { provider: "openai", endpoint: "http://web.example/slow?" },
        openai,
        /^HTTP request failed: no complete response within 300 ms$/,
      ],
      [
        { provider: "openai", endpoint: "http://web.example/large?bytes=1048577&x=" },
        openai,
        /^HTTP request failed: the response is larger than 1048576 bytes$/,
      ],
      [
        { provider: "openai", ...said(400, { error: { message: "long".repeat(50_000) } }) },
        openai,
        /^OpenAI API error: (long){75}… \(HTTP status 400\)$/,
      ],
      [{ provider: "openai", endpoint: "file:///etc" }, openai, /is no http or https URL$/],
    ];
    for (const [given, env, message] of cases) {
      const { error, rows } = await chat(given, env, { longestMs: 300 });
      assert.match(error ?? "", message);
      assert.equal(rows.length, 1, error);
      assert.deepEqual([rows[0]?.status, rows[0]?.error], ["error", error]);
    }
  });

  test("reaches only what the policy of the version allows", async () => {
    const refused = await chat({ provider: "openai" }, openai, { egress: ["api.openai.com"] });
    assert.equal(refused.code, "EGRESS_REFUSED");
    const content = answering(200, { choices: [{ message: { content: "local" } }] });
    const local = { OPENAI_API_KEY: KEY, OPENAI_ENDPOINT: "http://10.0.0.5" };
    const { value } = await chat({ provider: "openai", messages: [{ role: "user", content }] }, local, {
      egress: "all",
    });
    assert.equal(value?.["content"], "local");
  });
});

suite("email.send", () => {
  const env = { RESEND_API_KEY: KEY, RESEND_BASE_URL: "http://web.example/" };
  const mail = { from: "a@x.example", to: "b@x.example", subject: "s", text: "t" };
  const send = (given: object, own: Env = env): Promise<Result> => call("email.send", given, { env: own });

  test("sends what was given, and gives the id", async () => {
    const { value, rows } = await send({ ...mail, html: answering(200, { id: "e-1" }) });

    assert.deepEqual(value, { id: "e-1" });
    const [row] = rows;
    assert.deepEqual(
      [rows.length, row?.kind, row?.status, row?.emailId, row?.from, row?.to, row?.subject],
      [1, "email", "success", "e-1", "a@x.example", ["b@x.example"], "s"],
    );
  });

  test("brings every member into the shape of the API", async () => {
    const result = await send({
      ...{
        ...mail,
        to: ["b@x.example", "c@x.example"],
        html: "<b>t</b>",
        cc: "d@x.example",
        bcc: [],
        reply_to: "e@x.example",
      },
      ...{ headers: { "X-A": "1" }, tags: [{ name: "n", value: "v" }], scheduled_at: 1_700_000_000, unknown: 1 },
    });

    const { url, headers, body } = seen(result);
    assert.equal(url, "/emails");
    assert.equal(headers["authorization"], "***");
    assert.deepEqual(JSON.parse(body), {
      ...{ from: "a@x.example", to: ["b@x.example", "c@x.example"], subject: "s", text: "t", html: "<b>t</b>" },
      ...{ cc: ["d@x.example"], reply_to: ["e@x.example"], headers: { "X-A": "1" }, tags: [{ name: "n", value: "v" }] },
      scheduled_at: "2023-11-14T22:13:20Z",
    });
  });

  test("says what is missing, in the order of the original, and records nothing", async () => {
    const cases: readonly (readonly [given: object, message: string])[] = [
      [{}, "to is required"],
      [{ to: "" }, "to cannot be empty"],
      [{ to: [] }, "to cannot be empty"],
      [{ to: 5 }, "to must be a string or table of strings"],
      [{ to: ["a", 5] }, "to must be a string or table of strings"],
      [{ to: "a" }, "from is required"],
      [{ to: "a", from: "b" }, "subject is required"],
      [{ to: "a", from: "b", subject: "c" }, "either text or html content is required"],
      [{ ...mail, scheduled_at: 1e300 }, "scheduled_at must be a time in seconds since 1970, or a text"],
      [{ ...mail, tags: [{}] }, "tags must be a table of tables with name and value"],
    ];
    for (const [given, message] of cases)
      assert.deepEqual(await send(given), { error: message, code: "INVALID_REQUEST", rows: [] });
  });

  test("fails with what happened, and records it", async () => {
    const said = (status: number, value: unknown): object => ({ ...mail, text: answering(status, value) });
    const cases: readonly (readonly [given: object, own: Env, message: RegExp])[] = [
      [mail, {}, /^RESEND_API_KEY not set in function environment$/],
      [
        said(422, { statusCode: 422, message: "bad from", name: "x" }),
        env,
        /^Resend API error: bad from \(HTTP status 422\)$/,
      ],
      [said(200, { ok: true }), env, /^no response from Resend$/],
      [
        mail,
        { ...env, RESEND_BASE_URL: "http://127.0.0.1" },
        /^HTTP request failed: egress denied: 127\.0\.0\.1 is loopback$/,
      ],
    ];
    for (const [given, own, message] of cases) {
      const { error, rows } = await send(given, own);
      assert.match(error ?? "", message);
      assert.deepEqual(
        rows.map(({ status, error: told }) => [status, told]),
        [["error", error]],
      );
    }
  });
});
