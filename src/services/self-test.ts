// Before it serves, the server lets code in a box of each base try to get out, by the same path as any caller's code.
import type { Clock } from "../core/clock.ts";
import { PlatformError } from "../core/errors.ts";
import { newId } from "../core/id.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Pool } from "../pool/pool.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import { explain } from "./explain.ts";

const TIMEOUT_MS = 10_000;

export interface SelfTestDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  /** Files and folders of the host that no box may see. */
  readonly hostPaths: readonly string[];
  readonly serverPid: number;
}

/**
 * Resolves to how long it took, in milliseconds, when no escape worked.
 *
 * @throws PlatformError SANDBOX_START_FAILED, naming the escapes that worked, or why they could not be tried
 */
export async function selfTest(runtimes: readonly Runtime[], deps: SelfTestDeps): Promise<number> {
  const startedMs = deps.clock.monotonicMs();
  await Promise.all(runtimes.map((runtime) => tryEscapes(runtime, deps)));
  return deps.clock.monotonicMs() - startedMs;
}

async function tryEscapes(runtime: Runtime, deps: SelfTestDeps): Promise<void> {
  const { base } = runtime;
  const [language = ""] = runtime.languages;
  const { hostPaths, serverPid } = deps;
  const { source, input } = runtime.selfTest({ hostPaths, serverPid });
  const program = await runtime.prepare(language, source);
  let printed = "";
  const version = {
    id: `self-test:${base}`,
    function: undefined,
    program,
    egress: "none",
    concurrency: 1,
    singleUse: true,
    env: {},
    secrets: [],
  } as const;
  const { outcome } = await deps.pool.run({
    version,
    executionId: newId(),
    input: { kind: "value", json: JSON.stringify(input) },
    timeoutMs: TIMEOUT_MS,
    onLog: ({ stream, text }) => {
      if (stream === "stdout") printed += text;
    },
    onCall: () => Promise.reject(new PlatformError("INVALID_REQUEST", "the self-test calls nothing")),
  }).report;
  deps.pool.forget(version.id);
  const holes =
    outcome.kind === "ok" ? holesIn(outcome.json ?? printed) : [`the self-test did not finish: ${told(outcome)}`];
  if (holes.length === 0) return;
  throw new PlatformError(
    "SANDBOX_START_FAILED",
    `refusing to serve, a ${base} sandbox does not hold. Code in it can: ${holes.join("; ")}`,
  );
}

function told(outcome: Exclude<Outcome, { readonly kind: "ok" }>): string {
  return outcome.kind === "responded" ? "it answered with a response" : explain(outcome);
}

/** Anything but a list of texts is a hole, too: then nothing was proven. */
function holesIn(json: string): string[] {
  try {
    const holes: unknown = JSON.parse(json);
    if (Array.isArray(holes) && holes.every((hole) => typeof hole === "string")) return holes;
  } catch {
    // then it is no list
  }
  return [`make the self-test answer ${json === "" ? "nothing" : json}`];
}
