// Fills the shared build cache, in the background: a first build need not wait for it, it only takes longer until then.
import type { Clock } from "../../core/clock.ts";
import type { ArtifactMode } from "../../core/program.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { talkToBox } from "./box-talk.ts";
import type { Frame } from "./frames.ts";
import type { GoCache } from "./go-cache.ts";

const TARGETS: readonly ArtifactMode[] = ["native", "wasm"];
const TIMEOUT_MS = 1_800_000; // 25 s a target on two cores; a small machine that is busy may take half an hour
const MAX_BODY_BYTES = 268_435_456; // an entry is a package's code at most; frames are sent once they have 4 MiB

/**
 * Compiles the standard library for each target that the cache lacks. Resolves with what it did, in words; never rejects, since builds
 * work without it.
 *
 * @param signal ends it; what has been stored by then is stored
 */
export async function primeGoCache(options: {
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly base: string;
  readonly cpus: number;
  readonly cache: GoCache;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { sandbox, clock, base, cpus, cache, signal } = options;
  const startedMs = clock.monotonicMs();
  const missing = TARGETS.filter((target) => !cache.has(target));
  for (const target of missing) {
    try {
      let isComplete = false;
      const { end } = await talkToBox({
        ...{
          sandbox,
          clock,
          base,
          signal,
          egress: "none",
          body: [],
          timeoutMs: TIMEOUT_MS,
          maxBodyBytes: MAX_BODY_BYTES,
        },
        header: { t: "prime", target, cpus },
        onFrame: (frame) => {
          const { t, entries } = frame.header as { readonly t: string; readonly entries?: readonly Entry[] };
          if (t === "entries") store(cache, entries ?? [], frame);
          isComplete = t === "primed";
          return t !== "entries";
        },
      });
      if (!isComplete) return `the standard library of Go could not be compiled ahead for ${target} (${end})`;
      cache.complete(target);
    } catch (error) {
      return `the standard library of Go could not be compiled ahead for ${target}: ${String(error)}`;
    }
  }
  const tookS = ((clock.monotonicMs() - startedMs) / 1000).toFixed(0);
  return missing.length === 0 ? "" : `compiled the standard library of Go for ${missing.join(" and ")} in ${tookS} s`;
}

interface Entry {
  readonly name: string;
  readonly bytes: number;
}

function store(cache: GoCache, entries: readonly Entry[], { body }: Frame): void {
  let at = 0;
  for (const { name, bytes } of entries) {
    cache.add({ name, content: body.subarray(at, at + bytes) });
    at += bytes;
  }
}
