// P1, P2: what does a warm call cost beside bare node:http, and how does that grow with body and connections?
import { postOk } from "./client.ts";
import { GENERATOR, type Load, type Target } from "./load.ts";
import { startNodeRival, startOurs, startWorkerd } from "./rivals.ts";
import { added, alternate, of, type Rounds } from "./rounds.ts";
import { perS, ratio, type Row, type Table, us } from "./table.ts";

const ROUNDS = 5;
const ROUND_S = 1;
const SHAPE = { rounds: ROUNDS, seconds: ROUND_S };
const SHORT = { rounds: 3, seconds: ROUND_S };
const PEAK_CONNECTIONS = 32;
const PER_CALL_CONNECTIONS = 2; // one for each core: more would only queue
const LEAST_SHARE_OF_BARE = 0.5; // P1
const MOST_ADDED_P50_US = { javascript: 150, python: 200, lua: 200 }; // P2
const MOST_ADDED_P99_US = 1000; // P2

const JAVASCRIPT = "return {hello: event.name}";
const PYTHON = 'return {"hello": event["name"]}';
const LUA = "return {hello = event.name}";
const BODY = JSON.stringify({ input: { name: "world" } });
const ANSWER = '{"data":{"hello":"world"},"type":"json"}';
const SIZED_BODIES = [
  ["100 B", 100],
  ["10 KB", 10_000],
  ["1 MB", 1_000_000],
] as const;

export async function warm(): Promise<Table[]> {
  const ours = await startOurs();
  await ours.server.upload("hello", "javascript", JAVASCRIPT);
  await ours.server.upload("hello-python", "python", PYTHON);
  await ours.server.upload("hello-lua", "lua", LUA);
  const bare = await startNodeRival("bare-http.mjs");
  const fastify = await startNodeRival("fastify.mjs");
  const workerd = await startWorkerd();
  const perCall = await startNodeRival("per-call.mjs");
  const perCallBody = JSON.stringify({ language: "javascript", code: JAVASCRIPT, input: { name: "world" } });

  const js: Target = { name: "js", url: `${ours.url}/run/hello`, body: BODY, pid: ours.pid };
  const python: Target = { name: "python", url: `${ours.url}/run/hello-python`, body: BODY, pid: ours.pid };
  const lua: Target = { name: "lua", url: `${ours.url}/run/hello-lua`, body: BODY, pid: ours.pid };
  const bareHttp: Target = { name: "bare", url: `${bare.url}/run/hello`, body: BODY, pid: bare.pid };
  const peak: Target[] = [
    js,
    python,
    lua,
    bareHttp,
    { name: "fastify", url: `${fastify.url}/run/hello`, body: BODY, pid: fastify.pid },
    { name: "workerd", url: `${workerd.url}/run/hello`, body: BODY, pid: workerd.pid },
    { name: "per call", url: perCall.url, body: perCallBody, pid: perCall.pid },
  ];
  for (const { url, body, name } of peak) {
    for (let call = 0; call < 20; call++) {
      const { text } = await postOk(url, body);
      if (text.replaceAll(" ", "") !== ANSWER) throw new Error(`${name} answers ${text}`);
    }
  }

  const atPeak = await alternate(
    peak,
    ({ name }) => (name === "per call" ? PER_CALL_CONNECTIONS : PEAK_CONNECTIONS),
    SHAPE,
  );
  const atOne = await alternate([js, python, lua, bareHttp], () => 1, SHAPE);
  await perCall.stop();
  await fastify.stop();
  await workerd.stop();
  const byConnections = await connectionRows(js, bareHttp, atPeak, atOne);
  const byBody = await bodyRows(js, bareHttp);
  await bare.stop();
  await ours.stop();
  return [
    {
      title: `Warm calls, ${PEAK_CONNECTIONS} connections (P1), medians of ${ROUNDS} alternating rounds, ${GENERATOR}`,
      rows: peakRows(atPeak),
    },
    { title: "Warm calls, one connection (P2)", rows: oneRows(atOne) },
    { title: "How a warm call grows (JavaScript; limit: bare node:http)", rows: [...byConnections, ...byBody] },
  ];
}

function peakRows(rounds: Rounds): Row[] {
  const bare = of(rounds, "bare");
  const js = of(rounds, "js");
  const workerd = of(rounds, "workerd");
  const rivals = ["fastify", "workerd", "per call"];
  const all = (figure: (load: Load) => string): string =>
    rivals.map((name) => `${name} ${figure(of(rounds, name))}`).join(", ");
  const errors = (load: Load): string => String(load.errors);
  return [
    {
      what: "JavaScript, requests",
      ours: perS(js.requestsPerS),
      rivals: all(({ requestsPerS }) => perS(requestsPerS)),
      limit: `bare ${perS(bare.requestsPerS)}`,
    },
    {
      what: "  share of bare node:http",
      ours: ratio(js.requestsPerS / bare.requestsPerS),
      rivals: all(({ requestsPerS }) => ratio(requestsPerS / bare.requestsPerS)),
      target: `≥ ${ratio(LEAST_SHARE_OF_BARE)}`,
      ok: js.requestsPerS / bare.requestsPerS >= LEAST_SHARE_OF_BARE,
    },
    {
      what: "  against workerd's bare hello",
      ours: ratio(js.requestsPerS / workerd.requestsPerS),
      target: "> ×1.00",
      ok: js.requestsPerS > workerd.requestsPerS,
    },
    {
      what: "  p50 / p99",
      ours: `${us(js.p50Us)} / ${us(js.p99Us)}`,
      rivals: all(({ p50Us, p99Us }) => `${us(p50Us)} / ${us(p99Us)}`),
      limit: `${us(bare.p50Us)} / ${us(bare.p99Us)}`,
    },
    {
      what: "  CPU a request, sandboxes included",
      ours: us(js.cpuUsPerRequest),
      // Not of "per call": bwrap does not wait for its init, so the kernel tells nobody what those boxes used.
      rivals: `fastify ${us(of(rounds, "fastify").cpuUsPerRequest)}, workerd ${us(workerd.cpuUsPerRequest)}`,
      limit: us(bare.cpuUsPerRequest),
    },
    {
      what: "  errors, all rounds",
      ours: errors(js),
      rivals: all(errors),
      limit: errors(bare),
      target: "0",
      ok: js.errors === 0,
    },
    ...(["python", "lua"] as const).flatMap((name) => otherRows(name, of(rounds, name), bare)),
  ];
}

function otherRows(name: "python" | "lua", load: Load, bare: Load): Row[] {
  return [
    {
      what: `${name === "lua" ? "Lua" : "Python"}, requests`,
      ours: `${perS(load.requestsPerS)} = ${ratio(load.requestsPerS / bare.requestsPerS)}`,
      limit: `bare ${perS(bare.requestsPerS)}`,
    },
    { what: "  p50 / p99", ours: `${us(load.p50Us)} / ${us(load.p99Us)}` },
    { what: "  CPU a request, sandboxes included", ours: us(load.cpuUsPerRequest) },
    { what: "  errors, all rounds", ours: String(load.errors), target: "0", ok: load.errors === 0 },
  ];
}

function oneRows(rounds: Rounds): Row[] {
  const bare = of(rounds, "bare");
  const bareRow = {
    what: "bare node:http, p50 / p99",
    ours: "",
    limit: `${us(bare.p50Us)} / ${us(bare.p99Us)}`,
  };
  const rows = (["javascript", "python", "lua"] as const).flatMap((language): Row[] => {
    const name = language === "javascript" ? "js" : language;
    const load = of(rounds, name);
    const p50 = added(rounds, name, "bare", ({ p50Us }) => p50Us);
    const p99 = added(rounds, name, "bare", ({ p99Us }) => p99Us);
    return [
      { what: `${language}, p50 / p99`, ours: `${us(load.p50Us)} / ${us(load.p99Us)}` },
      {
        what: "  added p50",
        ours: us(p50),
        target: `≤ ${us(MOST_ADDED_P50_US[language])}`,
        ok: p50 <= MOST_ADDED_P50_US[language],
      },
      { what: "  added p99", ours: us(p99), target: `≤ ${us(MOST_ADDED_P99_US)}`, ok: p99 <= MOST_ADDED_P99_US },
      { what: "  CPU a request", ours: us(load.cpuUsPerRequest), limit: us(bare.cpuUsPerRequest) },
    ];
  });
  return [bareRow, ...rows];
}

async function connectionRows(js: Target, bare: Target, atPeak: Rounds, atOne: Rounds): Promise<Row[]> {
  const atEight = await alternate([js, bare], () => 8, SHORT);
  const sizes = [
    [1, atOne],
    [8, atEight],
    [PEAK_CONNECTIONS, atPeak],
  ] as const;
  return sizes.map(([connections, rounds]) => growthRow(`${connections} connections`, rounds));
}

/** `name` comes before the padding, so the program answers the same bytes whatever the size. */
async function bodyRows(js: Target, bare: Target): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [label, bytes] of SIZED_BODIES) {
    const empty = JSON.stringify({ input: { name: "world", padding: "" } });
    const body = JSON.stringify({ input: { name: "world", padding: "x".repeat(bytes - empty.length) } });
    const rounds = await alternate(
      [
        { ...js, body },
        { ...bare, body },
      ],
      () => 8,
      SHORT,
    );
    rows.push(growthRow(`body of ${label}, 8 connections`, rounds));
  }
  return rows;
}

function growthRow(what: string, rounds: Rounds): Row {
  const show = ({ requestsPerS, p50Us, cpuUsPerRequest, errors }: Load): string =>
    `${perS(requestsPerS)}, p50 ${us(p50Us)}, CPU ${us(cpuUsPerRequest)}${errors > 0 ? `, ${errors} ERRORS` : ""}`;
  const [js, bare] = [of(rounds, "js"), of(rounds, "bare")];
  return { what, ours: `${show(js)} = ${ratio(js.requestsPerS / bare.requestsPerS)}`, limit: show(bare) };
}
