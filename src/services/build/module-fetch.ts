// Fetches what a go.sum names and the cache lacks, before the build: through the gate, from the module proxies, with the hash looked at.
// The go command looks at it once more; what cannot be fetched here it fetches itself, or says why it cannot.
import type { Clock } from "../../core/clock.ts";
import type { EgressPolicy } from "../../core/egress-policy.ts";
import type { Caller } from "../capabilities.ts";
import { ByteBudget } from "../outbound/byte-budget.ts";
import type { ConnectOut } from "../outbound/connect-out.ts";
import { OUTBOUND_LIMITS } from "../outbound/limits.ts";
import { createSecure } from "../outbound/secure.ts";
import { createSend } from "../outbound/send.ts";
import type { ModuleFile } from "./go-sum.ts";
import type { ModuleCache } from "./module-cache.ts";
import type { UnpackedLimits } from "./module-hash.ts";

const MIB = 1_048_576;

export interface FetchLimits {
  /** Of one archive as it comes, and of one go.mod. */
  readonly zipBytes: number;
  readonly modBytes: number;
  readonly unpacked: UnpackedLimits;
  /** Of all that one build has fetched. */
  readonly buildBytes: number;
  /** Of all that is being fetched at the same time, for all builds. */
  readonly heldBytes: number;
  /** Files at the same time, for each build. */
  readonly concurrency: number;
  readonly timeoutMs: number;
}

const FETCH_LIMITS: FetchLimits = {
  zipBytes: 64 * MIB, // no box may write a larger file, so none could use it
  modBytes: MIB,
  unpacked: { files: 50_000, bytes: 500 * MIB }, // what Go itself takes
  buildBytes: 512 * MIB,
  heldBytes: 128 * MIB,
  concurrency: 6,
  timeoutMs: 30_000,
};

/**
 * Resolves with those files that are in the cache, once all that can be had are, or `timeoutMs` are over, or `signal` is aborted. Never
 * rejects.
 */
export type FetchModules = (
  files: readonly ModuleFile[],
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<readonly ModuleFile[]>;

export interface ModuleFetchDeps {
  /** As `GOPROXY` has them: https URLs with commas between. */
  readonly proxy: string;
  readonly egress: EgressPolicy;
  readonly connect: ConnectOut;
  /** Certificate authorities that are trusted, PEM; undefined: those that come with Node. */
  readonly caFile: string | undefined;
  readonly cache: ModuleCache;
  readonly clock: Clock;
  readonly limits?: Partial<FetchLimits>;
}

const REDIRECTS = 3;
/** Go asks the next proxy after these and no others: a proxy that is down must not be passed over. */
const NOT_THERE: ReadonlySet<number> = new Set([404, 410]);

export function createModuleFetch({ cache, clock, ...deps }: ModuleFetchDeps): FetchModules {
  const limits = { ...FETCH_LIMITS, ...deps.limits };
  const proxies = deps.proxy.split(",").map((url) => url.replace(/\/+$/, ""));
  const caller = callerFor(deps.egress);
  const send = createSend({
    ...{ connect: deps.connect, secure: createSecure(deps.caFile), budget: new ByteBudget(limits.heldBytes) },
    limits: OUTBOUND_LIMITS,
  });
  /** By hash: builds that need the same wait for the same answer. */
  const underWay = new Map<string, Promise<number>>();

  /** Undefined where no proxy has it. */
  async function download({ name, kind }: ModuleFile): Promise<Buffer | undefined> {
    const responseBytes = kind === "zip" ? limits.zipBytes : limits.modBytes;
    const { timeoutMs } = limits;
    for (const proxy of proxies) {
      const request = { method: "GET", url: new URL(`${proxy}/${name}`), headers: new Map(), body: undefined };
      const { status, body } = await send(caller, request, { timeoutMs, redirects: REDIRECTS, responseBytes });
      if (status === 200) return body;
      if (!NOT_THERE.has(status)) return undefined;
    }
    return undefined;
  }

  /** Resolves with how many bytes came. */
  async function take(file: ModuleFile): Promise<number> {
    try {
      const content = await download(file);
      if (content === undefined) return 0;
      const { hashOfMod, hashOfZip } = await import("./module-hash.ts"); // with its library only where modules are fetched
      const hash = file.kind === "zip" ? await hashOfZip(content, limits.unpacked) : hashOfMod(content);
      if (hash === file.hash) await cache.add(file, content);
      return content.length;
    } catch {
      return 0; // the go command meets the same, and has the words for it
    }
  }

  function takeOnce(file: ModuleFile): Promise<number> {
    const key = `${file.name} ${file.hash}`;
    let taking = underWay.get(key);
    if (taking === undefined) {
      taking = take(file).finally(() => underWay.delete(key));
      underWay.set(key, taking);
    }
    return taking;
  }

  async function fetchAll(files: readonly ModuleFile[], isOver: () => boolean): Promise<void> {
    const waiting = files.values();
    let bytes = 0;
    await Promise.all(
      Array.from({ length: limits.concurrency }, async () => {
        for (const file of waiting) {
          if (isOver() || bytes > limits.buildBytes) return;
          bytes += await takeOnce(file);
        }
      }),
    );
  }

  return async function fetchModules(files, timeoutMs, signal) {
    const isThere = async (file: ModuleFile): Promise<boolean> => await cache.use(file);
    const missing = await filtered(files, async (file) => !(await isThere(file)));
    if (missing.length === 0) return files;
    const over = new AbortController();
    const cancel = clock.after(timeoutMs, () => over.abort());
    const ends = AbortSignal.any([signal, over.signal]);
    const ended = new Promise<void>((resolve) => {
      ends.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([fetchAll(missing, () => ends.aborted), ended]);
    cancel();
    return await filtered(files, isThere);
  };
}

async function filtered<T>(all: readonly T[], test: (one: T) => Promise<boolean>): Promise<T[]> {
  const results = await Promise.all(all.map(test));
  return all.filter((_, index) => results[index]);
}

/** The gate goes by versions of functions; a build is none, but has a policy like one. */
function callerFor(egress: EgressPolicy): Caller {
  const program = { language: "", base: "", code: "", options: {}, alwaysReturns: true };
  return {
    executionId: "",
    version: {
      ...{ id: "module cache", function: undefined, program, egress },
      ...{ concurrency: 1, singleUse: false, env: {}, secrets: [] },
    },
  };
}
