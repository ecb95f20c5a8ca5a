// P5 and P6 for compiled programs: from Go's source to the first answer; what a call of a WebAssembly module or an executable costs, beside
// what Node and the kernel need for it alone.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_GO } from "../test/go-here.ts";
import { send, uploaded } from "../test/native-under-test.ts";
import type { SystemReport } from "../test/server-under-test.ts";
import { postOk } from "./client.ts";
import { GENERATOR, type Target } from "./load.ts";
import { onStop, outputOf } from "./processes.ts";
import { goHello, MODULE_BYTES, moduleOfSize } from "./programs-to-run.ts";
import { type Ours, type Running, startNodeRival, startOurs } from "./rivals.ts";
import { added, alternate, of, type Rounds } from "./rounds.ts";
import { median, percentile } from "./stats.ts";
import { mib, ms, perS, type Row, type Table, us } from "./table.ts";

const SHAPE = { rounds: 5, seconds: 1 };
const DEPLOYS = 8;
const SPAWNS = 200;
const MIB = 1_048_576;
const MOST_DEPLOY_MS = 2000; // P5
const MOST_ADDED_US = { module: 400, go: 3000 }; // P6
const MOST_WORKER_BYTES = MIB;
const NAME = "world";
const BODY = JSON.stringify({ input: { name: NAME } });

export async function programs(): Promise<Table[]> {
  const dir = mkdtempSync(join(tmpdir(), "cloche-bench-"));
  const remove = onStop(async () => rmSync(dir, { recursive: true, force: true }));
  const ours = await startOurs();
  const tables: Table[] = [];
  if (NO_GO === false) tables.push(await deployTable(ours));
  const idle = idleRow(await ours.server.system());
  const go = NO_GO === false ? await builtHello(ours, dir) : undefined;
  tables.push(await wasmTable(ours, dir, go?.module), await nativeTable(ours, go?.executable, idle));
  await ours.stop();
  await remove();
  return tables;
}

/** The first build is not counted: it may find a standard library that is not compiled yet. */
async function deployTable({ server, url }: Ours): Promise<Table> {
  await uploaded(server, goHello(), "main.go", { name: "warm-up" });
  const uploads: number[] = [];
  const totals: number[] = [];
  for (let deploy = 0; deploy < DEPLOYS; deploy++) {
    const name = `deploy/${deploy}`;
    const startedMs = performance.now();
    const response = await send(server, goHello(), "main.go", { name });
    if (response.status !== 200) throw new Error(await response.text());
    uploads.push(performance.now() - startedMs);
    await postOk(`${url}/fn/${name}`, BODY);
    totals.push(performance.now() - startedMs);
  }
  const p50Ms = median(totals);
  const row: Row = {
    what: "Go source, built as executable and module",
    ours: `${ms(p50Ms)} / ${ms(percentile(totals, 0.99))} (the upload alone ${ms(median(uploads))})`,
    target: `p50 ≤ ${ms(MOST_DEPLOY_MS)}`,
    ok: p50Ms <= MOST_DEPLOY_MS,
  };
  return { title: `Upload of Go to first response (P5), p50 / p99 of ${DEPLOYS}`, rows: [row] };
}

/** The hello of Go as our own server builds it. */
async function builtHello({ server }: Ours, dir: string): Promise<{ module: string; executable: string }> {
  const { wasmPath, binPath } = await uploaded(server, goHello(), "main.go", { name: "go" });
  const files = { module: join(dir, "go.wasm"), executable: join(server.dataDir, binPath) };
  writeFileSync(files.module, readFileSync(join(server.dataDir, wasmPath)));
  return files;
}

/** One connection, as everything here: how many calls fit beside each other is another question. */
async function measured(targets: readonly Target[]): Promise<Rounds> {
  for (const { url, name } of targets) {
    for (let call = 0; call < 20; call++) {
      const { text } = await postOk(url, BODY);
      if (name !== "true" && !text.includes(NAME)) throw new Error(`${name} answers ${text}`);
    }
  }
  return await alternate(targets, () => 1, SHAPE);
}

async function wasmTable({ server, url, pid }: Ours, dir: string, goModule: string | undefined): Promise<Table> {
  const small = join(dir, "module.wasm");
  writeFileSync(small, moduleOfSize());
  const kinds = [
    { name: "module", file: small, what: `a module of ${MODULE_BYTES / 1000} KB`, mostUs: MOST_ADDED_US.module },
    ...(goModule === undefined ? [] : [{ name: "go", file: goModule, what: "hello in Go", mostUs: MOST_ADDED_US.go }]),
  ];
  const bare = await startNodeRival("bare-http.mjs");
  const rivals: Running[] = [];
  const targets: Target[] = [{ name: "bare", url: bare.url, body: BODY, pid: bare.pid }];
  for (const { name, file } of kinds) {
    await uploaded(server, readFileSync(file), `${name}.wasm`, { name });
    targets.push({ name, url: `${url}/fn/${name}`, body: BODY, pid });
    for (const way of ["cached", "per-call"]) {
      const rival = await startNodeRival("node-wasi.mjs", [file, way]);
      rivals.push(rival);
      targets.push({ name: `${name} ${way}`, url: rival.url, body: BODY, pid: rival.pid });
    }
  }
  const rounds = await measured(targets);
  for (const rival of [bare, ...rivals]) await rival.stop();
  const beyond = (name: string): number => added(rounds, name, "bare", ({ p50Us }) => p50Us);
  const rows = kinds.flatMap(({ name, what, file, mostUs }): Row[] => [
    {
      what: `${what} (${mib(readFileSync(file).length)}), p50 beyond bare node:http`,
      ours: us(beyond(name)),
      rivals: `node:wasi ${us(beyond(`${name} cached`))}, compiled for each call ${us(beyond(`${name} per-call`))}`,
      limit: `bare ${us(of(rounds, "bare").p50Us)}`,
      target: `≤ ${us(mostUs)}`,
      ok: beyond(name) <= mostUs,
    },
    ...moreOf(rounds, name, [`${name} cached`, `${name} per-call`]),
  ]);
  return { title: `A call of a WebAssembly module (P6), one connection, ${GENERATOR}; rivals have no sandbox`, rows };
}

async function nativeTable({ server, url, pid }: Ours, goExecutable: string | undefined, idle: Row): Promise<Table> {
  const kinds = [
    { name: "true", file: "/bin/true", what: "/bin/true" },
    ...(goExecutable === undefined ? [] : [{ name: "go-native", file: goExecutable, what: "hello in Go" }]),
  ];
  const targets: Target[] = [];
  for (const { name, file } of kinds) {
    await uploaded(server, readFileSync(file), name, { name });
    targets.push({ name, url: `${url}/fn/${name}`, body: BODY, pid });
  }
  const bare = await startNodeRival("bare-http.mjs");
  const rounds = await measured([{ name: "bare", url: bare.url, body: BODY, pid: bare.pid }, ...targets]);
  await bare.stop();
  const rows: Row[] = [];
  for (const { name, file, what } of kinds) {
    const spawnUs = await spawnedUs(file);
    rows.push(
      {
        what: `${what}, p50`,
        ours: us(of(rounds, name).p50Us),
        limit: `bare ${us(of(rounds, "bare").p50Us)} + posix_spawn to exit ${us(spawnUs)}`,
      },
      { what: "  beyond both", ours: us(added(rounds, name, "bare", ({ p50Us }) => p50Us) - spawnUs) },
      ...moreOf(rounds, name, []),
    );
  }
  return { title: `A call of an executable, one connection, ${GENERATOR}`, rows: [...rows, idle] };
}

function moreOf(rounds: Rounds, name: string, rivals: readonly string[]): Row[] {
  const { p99Us, requestsPerS, cpuUsPerRequest, errors } = of(rounds, name);
  const others = rivals.map((rival) => `${us(of(rounds, rival).p99Us)}, ${perS(of(rounds, rival).requestsPerS)}`);
  return [
    {
      what: "  p99, requests, CPU a request",
      ours: `${us(p99Us)}, ${perS(requestsPerS)}, ${us(cpuUsPerRequest)}`,
      ...(others.length === 0 ? {} : { rivals: others.join("; ") }),
    },
    { what: "  errors, all rounds", ours: String(errors), target: "0", ok: errors === 0 },
  ];
}

/** Median from posix_spawn to the end of the process, with its stdin and stdout as pipes, in a loop that does nothing else. */
async function spawnedUs(file: string): Promise<number> {
  const script = join(import.meta.dirname, "rivals/spawn.py");
  return Number(await outputOf("/usr/bin/python3", [script, file, String(SPAWNS), BODY]));
}

function idleRow({ pool }: SystemReport): Row {
  const bytes = pool.workers
    .filter(({ base, state }) => base === "native" && state === "idle")
    .flatMap(({ memoryBytes }) => memoryBytes ?? []);
  return {
    what: "an idle worker for executables, by its cgroup",
    ours: bytes.length === 0 ? "not counted here" : mib(median(bytes)),
    target: `≤ ${mib(MOST_WORKER_BYTES)}`,
    ok: bytes.length > 0 && median(bytes) <= MOST_WORKER_BYTES,
  };
}
