// P3, P4: what does code cost that nobody has seen before, at rest and saturated?
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { paced, post, postOk, type Reply } from "./client.ts";
import { INPUT, type Language, LANGUAGES, newHello } from "./languages.ts";
import { childrenOf, memoryOf, outputOf } from "./processes.ts";
import { type Ours, type Running, startNodeRival, startOurs } from "./rivals.ts";
import { median, percentile } from "./stats.ts";
import { mib, ms, perS, ratio, type Row, type Table } from "./table.ts";

const ROUNDS = 5;
const PER_SECOND = 5;
const CALLS_A_ROUND = 8;
const RIVAL_CALLS_A_ROUND = 3;
const MOST_P50_MS: Readonly<Record<Language, number>> = { javascript: 4, python: 5, lua: 3, typescript: 10 }; // P3

const CLIENTS = 4;
const SATURATED_S = 6;
const RIVAL_SATURATED_S = 3;
const LIMIT_S = 3;
const LEAST_PER_S: Readonly<Partial<Record<Language, number>>> = { javascript: 55, python: 80, lua: 220 }; // P4
const BUSY_PAUSE_MS = 20;
const MOST_GROWTH_BYTES = 32 * 1024 * 1024; // "memory flat": below what a garbage collector leaves lying about
const SETTLE_MS = 1500;

const LINES = [0, 100, 10_000];
const LINE_CALLS = 8;

export async function adHoc(): Promise<Table[]> {
  const ours = await startOurs();
  const bare = await startNodeRival("bare-http.mjs");
  const perCall = await startNodeRival("per-call.mjs");
  await checkAnswers(ours, perCall);
  const atRest = await atRestRows(ours, bare, perCall);
  const lines = await lineRows(ours);
  const saturated: Row[] = [];
  for (const language of LANGUAGES) saturated.push(...(await saturatedRows(language, ours, perCall)));
  await perCall.stop();
  await bare.stop();
  await ours.stop();
  return [
    { title: `Code never seen before, ${PER_SECOND} a second (P3), p50 / p99`, rows: atRest },
    { title: "How a run of new JavaScript grows with its log lines, p50 / p99", rows: lines },
    { title: `Code never seen before, saturated: ${CLIENTS} clients that never pause (P4)`, rows: saturated },
  ];
}

function newBody(language: Language): string {
  return JSON.stringify({ language, code: newHello(language), input: INPUT });
}

async function checkAnswers(ours: Running, perCall: Running): Promise<void> {
  for (const language of LANGUAGES) {
    for (const url of [`${ours.url}/run-now`, perCall.url]) {
      const { text } = await postOk(url, newBody(language));
      if (text.replaceAll(" ", "") !== '{"data":{"hello":"world"},"type":"json"}') throw new Error(`${url}: ${text}`);
    }
  }
}

async function atRestRows(ours: Running, bare: Running, perCall: Running): Promise<Row[]> {
  const samples = new Map<string, number[]>();
  const measure = async (name: string, count: number, url: string, body: () => string): Promise<void> => {
    const replies = await paced(count, PER_SECOND, () => postOk(url, body()));
    samples.set(name, [...(samples.get(name) ?? []), ...replies.map((reply) => reply.ms)]);
  };
  const show = (name: string): string => {
    const values = samples.get(name) ?? [];
    return `${ms(median(values))} / ${ms(percentile(values, 0.99))}`;
  };
  for (let round = 0; round < ROUNDS; round++) {
    await measure("bare", CALLS_A_ROUND, bare.url, () => newBody("javascript"));
    for (let turn = 0; turn < LANGUAGES.length; turn++) {
      const language = LANGUAGES[(round + turn) % LANGUAGES.length] ?? "javascript";
      const body = (): string => newBody(language);
      await measure(`ours ${language}`, CALLS_A_ROUND, `${ours.url}/run-now`, body);
      await measure(`rival ${language}`, RIVAL_CALLS_A_ROUND, perCall.url, body);
    }
  }
  return LANGUAGES.map((language) => {
    const p50Ms = median(samples.get(`ours ${language}`) ?? []);
    return {
      what: language,
      ours: show(`ours ${language}`),
      rivals: `${rivalName(language)} ${show(`rival ${language}`)}`,
      limit: `bare node:http ${show("bare")}`,
      target: `p50 ≤ ${ms(MOST_P50_MS[language])}`,
      ok: p50Ms <= MOST_P50_MS[language],
    };
  });
}

function rivalName(language: Language): string {
  return { javascript: "bwrap + node", python: "bwrap + python", lua: "bwrap + luajit", typescript: "bwrap + tsx" }[
    language
  ];
}

async function lineRows(ours: Running): Promise<Row[]> {
  const rows: Row[] = [];
  for (const lines of LINES) {
    const timed = async (stream: boolean): Promise<string> => {
      const replies = await paced(LINE_CALLS, PER_SECOND, () => {
        // A number of its own makes the code new.
        const code = `for (let i = 0; i < ${lines}; i++) console.log("line " + i);\nreturn ${randomInt(2 ** 47)};`;
        return postOk(`${ours.url}/run-now`, { language: "javascript", code, stream });
      });
      const values = replies.map((reply) => reply.ms);
      return `${ms(median(values))} / ${ms(percentile(values, 0.99))}`;
    };
    rows.push({ what: `${lines} lines`, ours: `whole ${await timed(false)}, streamed ${await timed(true)}` });
  }
  return rows;
}

interface Saturation {
  readonly perS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly busy: number;
  readonly busyWithoutRetryAfter: number;
  /** Answers other than 200 and 503, and connections that broke; with the first one's text. */
  readonly otherErrors: readonly string[];
}

async function saturate(url: string, language: Language, seconds: number): Promise<Saturation> {
  const replies: Reply[] = [];
  const broken: string[] = [];
  const startedMs = performance.now();
  const untilMs = startedMs + seconds * 1000;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (performance.now() < untilMs) {
        try {
          const reply = await post(url, newBody(language));
          replies.push(reply);
          if (reply.status === 503) await delay(BUSY_PAUSE_MS);
        } catch (error) {
          broken.push(String(error));
        }
      }
    }),
  );
  const elapsedS = (performance.now() - startedMs) / 1000;
  const good = replies.filter(({ status }) => status === 200).map((reply) => reply.ms);
  const busy = replies.filter(({ status }) => status === 503);
  const bad = replies.filter(({ status }) => status !== 200 && status !== 503);
  return {
    perS: good.length / elapsedS,
    p50Ms: median(good),
    p99Ms: percentile(good, 0.99),
    busy: busy.length,
    busyWithoutRetryAfter: busy.filter(({ retryAfter }) => retryAfter === undefined).length,
    otherErrors: [...broken, ...bad.map(({ status, text }) => `${status} ${text}`)],
  };
}

async function saturatedRows(language: Language, ours: Ours, perCall: Running): Promise<Row[]> {
  const url = `${ours.url}/run-now`;
  await saturate(url, language, 1); // so that "before" is a server that has worked
  await delay(SETTLE_MS);
  const beforeBytes = ownMemoryBytes(ours);
  const own = await saturate(url, language, SATURATED_S);
  await delay(SETTLE_MS);
  const afterBytes = ownMemoryBytes(ours);
  const rival = await saturate(perCall.url, language, RIVAL_SATURATED_S);
  const limit = await boxesPerS(language);
  const least = LEAST_PER_S[language];
  const errors = own.otherErrors.length + own.busyWithoutRetryAfter;
  if (errors > 0) process.stderr.write(`bench: ${language}, first error: ${own.otherErrors[0] ?? "no Retry-After"}\n`);
  return [
    {
      what: `${language}, successes`,
      ours: perS(own.perS),
      rivals: `${rivalName(language)} ${perS(rival.perS)}`,
      limit: `${language === "typescript" ? "bwrap + node" : rivalName(language)} ${perS(limit)} (${ratio(own.perS / limit)})`,
      ...(least === undefined ? {} : { target: `≥ ${least}/s`, ok: own.perS >= least }),
    },
    {
      what: "  p50 / p99",
      ours: `${ms(own.p50Ms)} / ${ms(own.p99Ms)}`,
      rivals: `${ms(rival.p50Ms)} / ${ms(rival.p99Ms)}`,
    },
    {
      what: "  503 / 503 without Retry-After / other errors",
      ours: `${own.busy} / ${own.busyWithoutRetryAfter} / ${own.otherErrors.length}`,
      rivals: `${rival.busy} / ${rival.busyWithoutRetryAfter} / ${rival.otherErrors.length}`,
      target: "any / 0 / 0",
      ok: errors === 0,
    },
    {
      what: "  memory of gateway, nursery, esbuild (PSS), before → after",
      ours: `${mib(beforeBytes)} → ${mib(afterBytes)}`,
      target: `+ ≤ ${mib(MOST_GROWTH_BYTES)}`,
      ok: afterBytes - beforeBytes <= MOST_GROWTH_BYTES,
    },
  ];
}

/** Of the server without its sandboxes, which are the nursery's children. */
function ownMemoryBytes({ pid }: Running): number {
  return [pid, ...childrenOf(pid).map((child) => child.pid)].reduce((sum, id) => sum + memoryOf(id).pssBytes, 0);
}

/** Fresh sandboxes a second in which the bare interpreter prints hello. */
async function boxesPerS(language: Language): Promise<number> {
  const node = [process.execPath, "-p", "'hello'"];
  const hello = {
    python: ["/usr/bin/python3", "-I", "-S", "-c", "print('hello')"],
    lua: ["/usr/bin/luajit", "-e", "print('hello')"],
    javascript: node,
    typescript: node,
  }[language];
  const script = `${import.meta.dirname}/rivals/boxes-per-second.mjs`;
  return Number(await outputOf(process.execPath, [script, String(LIMIT_S), ...hello]));
}
