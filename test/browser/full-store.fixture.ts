// A store as it looks after a busy year: what lists, searches and logs must stay quick with.
import { join } from "node:path";
import type { Execution } from "../../src/core/execution.ts";
import { newId } from "../../src/core/id.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";

export interface FullStore {
  readonly functions: number;
  readonly executions: number;
  /** Lines that the last execution printed; it is one of code that was sent. */
  readonly logLines: number;
}

const BATCH = 5_000;
const DAY_MS = 86_400_000;
const LANGUAGES = {
  javascript: "export default () => new Response('ok');",
  typescript: "export default (): Response => new Response('ok');",
  python: "def handler(event, context):\n    return 'ok'\n",
  lua: "function handler() return 'ok' end",
} as const;

/** The word that one in ten thousand executions printed. */
export const NEEDLE = "quokka";

/** Name of the function at a place, as the lists have them in order. */
export function functionName(place: number): string {
  return `team-${String(place % 10)}/service-${String(place).padStart(4, "0")}`;
}

/**
 * Fills the data folder of a server that does not run, newest execution last.
 *
 * @returns the id of the execution with the long log
 */
export async function fillStore(dataDir: string, { functions, executions, logLines }: FullStore): Promise<string> {
  const store = await openSqliteStore({ file: join(dataDir, "cloche.db"), keepExecutions: executions + 1 });
  try {
    const languages = Object.keys(LANGUAGES) as (keyof typeof LANGUAGES)[];
    const nowMs = Date.now();
    const ids: string[] = [];
    for (let place = 0; place < functions; place++) {
      const language = languages[place % languages.length] ?? "lua";
      const name = functionName(place);
      const { version } = await store.addVersion({ functionName: name, language, source: LANGUAGES[language], nowMs });
      ids.push(version.functionId);
    }
    for (let at = 0; at < executions; at += BATCH) {
      const count = Math.min(BATCH, executions - at);
      await store.appendExecutions(
        Array.from({ length: count }, (_none, index) => {
          const place = at + index;
          const own = place % functions;
          return execution(place, nowMs - DAY_MS + (DAY_MS / executions) * place, {
            functionId: ids[own],
            functionName: functionName(own),
            language: languages[own % languages.length] ?? "lua",
          });
        }),
      );
    }
    const long: Execution = {
      ...execution(1, nowMs, { functionId: undefined, functionName: undefined, language: "python" }),
      trigger: "run-now",
      logs: Array.from({ length: logLines }, (_none, index) => ({
        ...({ stream: "stdout", level: index % 1000 === 999 ? "warn" : "info", atMs: nowMs } as const),
        text: `line ${index + 1} of what it says while it works through the warehouse`,
      })),
    };
    await store.appendExecutions([long]);
    return long.id;
  } finally {
    await store.close();
  }
}

function execution(
  place: number,
  queuedAtMs: number,
  whose: Pick<Execution, "functionId" | "functionName" | "language">,
): Execution {
  const failed = place % 50 === 0;
  return {
    ...whose,
    ...{ id: newId(), trigger: "http", version: whose.functionId === undefined ? undefined : 1 },
    ...{ status: failed ? (place % 5000 === 0 ? "timeout" : "error") : "success" },
    ...{ error: failed ? "TypeError: it broke" : undefined, errorLine: undefined, errorTip: undefined },
    ...{
      queuedAtMs,
      waitMs: 0.1,
      runMs: 1 + (place % 97),
      cpuMs: 1.2,
      peakMemoryBytes: 45e6,
      coldStart: place % 80 === 0,
    },
    ...{ event: undefined, response: undefined, httpStatus: failed ? 500 : 200, logsTruncated: false },
    logs: [
      {
        ...({ stream: "stdout", level: "info", atMs: queuedAtMs } as const),
        text: place % 10_000 === 7 ? `a ${NEEDLE} in it` : "what a call says",
      },
    ],
  };
}
