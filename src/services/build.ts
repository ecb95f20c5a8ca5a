// Builds programs from source, in a box of its own for each: a compiler reads what strangers wrote, and builds are as hostile as runs.
import type { Clock } from "../core/clock.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";
import { PlatformError } from "../core/errors.ts";
import type { ArtifactMode, Artifacts } from "../core/program.ts";
import type { BuilderSearch } from "../runtimes/runtime.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { talkToBox } from "./build/box-talk.ts";
import { type BuildLimits, explainFailure } from "./build/failure.ts";
import { checkFiles } from "./build/files.ts";
import type { GoCache } from "./build/go-cache.ts";
import { moduleFilesOf } from "./build/go-sum.ts";
import { BuildLine, draining } from "./build/line.ts";
import { cachedName } from "./build/module-cache.ts";
import type { FetchModules } from "./build/module-fetch.ts";
import { primeGoCache } from "./build/prime.ts";

export interface BuildRequest {
  /** Path -> content of the whole tree. */
  readonly files: Readonly<Record<string, Buffer>>;
  /** Of the package to build; "" is the root. */
  readonly folder: string;
  readonly targets: readonly ArtifactMode[];
}

export interface Built {
  readonly artifacts: Artifacts;
  /** `handler`: a main function of ours serves HTTP with it. */
  readonly style: "program" | "handler";
  /** One for each target that could not be built while another one could, or that TinyGo could not compile and Go did. */
  readonly warnings: readonly string[];
}

/**
 * @throws PlatformError BUILD_FAILED, whose message is one line for people and whose details are `{ output, files? }`, with the user's own file
 *   names and lines; also where a limit was met, which the message names. TOOLCHAIN_MISSING, with what is missing and how to get it.
 *   POOL_SATURATED where too many builds wait.
 */
export type Build = (request: BuildRequest) => Promise<Built>;

/** From where modules are fetched. */
export interface ModuleSources {
  /** As `GOPROXY` has it: URLs with commas between, or `off`. */
  readonly proxy: string;
  /** As `GOSUMDB` has it. */
  readonly sumDb: string;
  readonly egress: EgressPolicy;
}

export interface BuildDeps {
  readonly sandbox: Sandbox;
  readonly builder: BuilderSearch;
  readonly limits: BuildLimits;
  readonly modules: ModuleSources;
  readonly clock: Clock;
  /** Undefined: what is compiled of the standard library is kept nowhere. */
  readonly cache: GoCache | undefined;
  /** Undefined: the box fetches all modules itself. */
  readonly fetchModules?: FetchModules | undefined;
  readonly log: (line: string) => void;
}

/** Of a build's time, for modules that are to be fetched for the cache; the rest is for its box. */
const FETCH_SHARE = 0.5;
/** A server's first minute belongs to those who started it; a first build asks for it sooner. */
const PRIME_AFTER_MS = 60_000;

export interface BuildService {
  readonly build: Build;
  /** Ends what is being built, and what waits, with DRAINING. */
  close(): void;
}

export function createBuild({ sandbox, builder, limits, modules, clock, cache, ...deps }: BuildDeps): BuildService {
  const { fetchModules, log } = deps;
  const line = new BuildLine(limits.concurrency);
  const closing = new AbortController();
  let priming: Promise<void> | undefined;

  /** Once in a server's life; a cache that is complete takes no time. */
  function prime(): void {
    if (!builder.found || cache === undefined || closing.signal.aborted) return;
    const { base } = builder;
    priming ??= primed({ sandbox, clock, base, cpus: limits.cpus, cache, signal: closing.signal });
  }

  async function primed(options: Parameters<typeof primeGoCache>[0]): Promise<void> {
    const did = await primeGoCache(options);
    if (did !== "" && !closing.signal.aborted) log(did);
  }

  /** Which files of the module cache are which of a module proxy, for this upload: by what its own go.sum says. */
  async function cachedModules({ files, folder }: BuildRequest): Promise<object[]> {
    if (fetchModules === undefined) return [];
    const there = await fetchModules(moduleFilesOf(files, folder), limits.timeoutMs * FETCH_SHARE, closing.signal);
    if (closing.signal.aborted) throw draining();
    return there.map((file) => ({ name: file.name, file: cachedName(file) }));
  }

  async function build(request: BuildRequest): Promise<Built> {
    if (!builder.found) throw new PlatformError("TOOLCHAIN_MISSING", `Go programs cannot be built: ${builder.reason}`);
    checkFiles(request, limits);
    const names = Object.keys(request.files);
    const header = {
      t: "build",
      files: names.map((path) => ({ path, bytes: request.files[path]?.length ?? 0 })),
      folder: request.folder,
      targets: request.targets,
      goVersion: builder.version,
      proxy: modules.proxy,
      sumDb: modules.sumDb,
      cpus: limits.cpus,
      maxArtifactBytes: limits.artifactBytes,
    };
    const leave = await line.enter(closing.signal);
    try {
      const startedMs = clock.monotonicMs();
      const cached = await cachedModules(request);
      const timeoutMs = limits.timeoutMs - (clock.monotonicMs() - startedMs);
      const { last, end } = await talkToBox({
        ...{ sandbox, clock, base: builder.base, egress: modules.egress },
        header: { ...header, modules: cached, timeoutMs },
        body: names.map((path) => request.files[path] ?? Buffer.alloc(0)),
        timeoutMs,
        maxBodyBytes: limits.artifactBytes * request.targets.length,
        signal: closing.signal,
        onFrame: () => true, // the first one is the answer
      });
      const { parseReply } = await import("./build/reply.ts"); // with its library only where there are builds
      const reply = parseReply(last, request.targets);
      if (end === "finished" && reply?.t === "built") return reply.built;
      throw explainFailure(end, reply?.t === "failed" ? reply.failure : undefined, limits);
    } finally {
      leave();
      prime();
    }
  }
  if (builder.found && cache === undefined)
    log("there is no place for Go's build cache: each build takes seconds more");
  clock.after(PRIME_AFTER_MS, prime);
  return { build, close: () => closing.abort() };
}
