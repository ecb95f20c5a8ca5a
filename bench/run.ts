// npm run bench              every question, in some twenty minutes
// npm run bench -- warm      one of them: warm, functions, ad-hoc, deploy, idle, scale, history, streams, launch, neighbours, programs, jobs, bytes
import { availableParallelism, cpus } from "node:os";
import { adHoc } from "./ad-hoc.ts";
import { bytes } from "./bytes.ts";
import { deploy } from "./deploy.ts";
import { functions } from "./functions.ts";
import { history } from "./history.ts";
import { idle } from "./idle.ts";
import { jobs } from "./jobs.ts";
import { launch } from "./launch.ts";
import { GENERATOR } from "./load.ts";
import { neighbours } from "./neighbours.ts";
import { stopAll } from "./processes.ts";
import { programs } from "./programs.ts";
import { scale } from "./scale.ts";
import { streams } from "./streams.ts";
import { formatTable, type Table, verdict } from "./table.ts";
import { warm } from "./warm.ts";

const BENCHES: { readonly [name: string]: () => Promise<Table[]> } = {
  warm,
  functions,
  "ad-hoc": adHoc,
  deploy,
  idle,
  scale,
  history,
  streams,
  launch,
  neighbours,
  programs,
  jobs,
  bytes,
};

const names = process.argv.slice(2);
const unknown = names.find((name) => !Object.hasOwn(BENCHES, name));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no ${JSON.stringify(unknown)}; there are ${Object.keys(BENCHES).join(", ")}\n`);
  process.exit(2);
}

const startedMs = performance.now();
say(
  `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"}), load by ${GENERATOR}`,
);
say("Ratios count; absolute figures are only orders of magnitude on a shared machine.\n");
const tables: Table[] = [];
try {
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const found = await bench();
    tables.push(...found);
    for (const table of found) say(formatTable(table));
  }
  const { met, judged } = verdict(tables);
  say(`${met} of ${judged} targets met; ${Math.round((performance.now() - startedMs) / 1000)} s`);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
process.exit();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
