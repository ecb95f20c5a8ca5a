// A server is killed while code is uploaded to it: what was answered with success is there and runs; what was not is there whole, or not
// at all.
import { setTimeout as delay } from "node:timers/promises";
import { CAT } from "../native-under-test.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import type { Fault, FaultReport } from "./faults.ts";
import { randomBelow, soon } from "./soon.ts";

const UPLOADERS = 3;
const FILLER_BYTES = 100_000;
const PROGRAM_BYTES = 1_000_000; // long enough on its way that some are half there
const LEAST_ACCEPTED = 5;
const LONGEST_WAIT_MS = 1_000;
const NOBODY_MS = 250;
const ASK_TIMEOUT_MS = 30_000;

interface Upload {
  readonly name: string;
  /** What it answers, or how it was answered; undefined: nothing came back. */
  status: number | undefined;
}

async function run(options: ClusterOptions, times: number): Promise<FaultReport> {
  const cluster = await Cluster.start(options);
  try {
    const uploads: Upload[] = [];
    const recoveriesMs: number[] = [];
    for (let n = 0; n < times; n++) {
      const over = new AbortController();
      const work = Array.from({ length: UPLOADERS }, async () => {
        while (!over.signal.aborted) await upload(cluster.url, uploads);
      });
      const goal = acceptedOf(uploads) + LEAST_ACCEPTED;
      await soon("some uploads are taken", async () => acceptedOf(uploads) >= goal || undefined);
      await delay(randomBelow(LONGEST_WAIT_MS));
      const node = cluster.node(n);
      const startedAtMs = performance.now();
      await node.kill();
      await cluster.startNode(node);
      over.abort();
      await Promise.all(work);
      recoveriesMs.push(performance.now() - startedAtMs);
    }
    const lost: string[] = [];
    for (const { name, status } of uploads) {
      const isAccepted = status !== undefined && status < 300;
      const found = await look(cluster.url, name);
      const isWhole = found === "whole" || (!isAccepted && found === "missing");
      if (!isWhole) lost.push(`${name}, answered ${status ?? "by nobody"}: ${found}`);
    }
    const accepted = acceptedOf(uploads);
    const note = `uploads; ${uploads.length - accepted} without an answer, each there whole or not at all`;
    return { accepted, lost, doubled: [], recoveriesMs, note };
  } finally {
    await cluster.dispose();
  }
}

function acceptedOf(uploads: readonly Upload[]): number {
  return uploads.filter(({ status }) => status !== undefined && status < 300).length;
}

async function upload(url: string, uploads: Upload[]): Promise<void> {
  const number = uploads.length;
  const isProgram = number % 4 === 3;
  const one: Upload = { name: `${isProgram ? "program" : "script"}-${number}`, status: undefined };
  uploads.push(one);
  const init = { method: "POST", signal: AbortSignal.timeout(ASK_TIMEOUT_MS) };
  try {
    const response = isProgram
      ? await fetch(`${url}/functions`, { ...init, body: programForm(one.name) })
      : await fetch(`${url}/api/functions`, {
          ...init,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ name: one.name, language: "javascript", code: codeOf(one.name) }),
        });
    await response.arrayBuffer();
    one.status = response.status;
  } catch {
    // Nothing came back.
  }
  if (one.status === undefined || one.status >= 500) await delay(NOBODY_MS); // nobody is there
}

function codeOf(name: string): string {
  return `export default () => new Response("I am ${name}");\n// ${"x".repeat(FILLER_BYTES)}\n`;
}

/** A program that copies its input, made longer: what is behind its end does not matter to it. */
function programForm(name: string): FormData {
  const form = new FormData();
  form.append("name", name);
  form.append("file", new Blob([new Uint8Array(CAT), new Uint8Array(PROGRAM_BYTES)]), "cat");
  return form;
}

async function look(url: string, name: string): Promise<string> {
  return await soon(`${name} is found, or not`, async () => {
    const [status, text] = name.startsWith("program") ? await runProgram(url, name) : await runScript(url, name);
    if (status === 404) return text.includes("no version") ? "there without its code" : "missing";
    if (status === 200) return text === `I am ${name}` ? "whole" : `it answers ${text.slice(0, 100)}`;
    return status < 500 ? `${status} ${text}` : undefined;
  });
}

async function runScript(url: string, name: string): Promise<[number, string]> {
  const response = await fetch(`${url}/fn/${name}`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
  return [response.status, await response.text()];
}

async function runProgram(url: string, name: string): Promise<[number, string]> {
  const all = (await (await fetch(`${url}/functions`)).json()) as readonly {
    readonly id: string;
    readonly name: string;
  }[];
  const found = all.find((each) => each.name === name);
  if (found === undefined) return [404, "not listed"];
  const body = new URLSearchParams({ input: `I am ${name}` });
  const response = await fetch(`${url}/invoke/${found.id}`, { ...{ method: "POST", body } });
  const text = await response.text();
  return [response.status, response.ok ? (JSON.parse(text) as { readonly Stdout: string }).Stdout : text];
}

export const UPLOAD_FAULTS: readonly Fault[] = [
  {
    id: "uploads",
    title: "kill -9 of one of three servers during uploads",
    run: (times) => run({ nodes: 3, store: "redis" }, times),
  },
  {
    id: "uploads-sqlite",
    title: "kill -9 of the only server during uploads",
    run: (times) => run({ nodes: 1, store: "sqlite" }, times),
  },
];
