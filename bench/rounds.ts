// Rounds of load over several targets in turns, so that what the machine does meanwhile meets all of them alike.
import { type Load, load, type Target } from "./load.ts";
import { medianOf } from "./stats.ts";

export type Rounds = ReadonlyMap<string, Load[]>;

/** Each round begins with another target. */
export async function alternate(
  targets: readonly Target[],
  connectionsFor: (target: Target) => number,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Rounds> {
  const loads = new Map<string, Load[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const target = targets[(round + turn) % targets.length];
      if (target !== undefined) loads.get(target.name)?.push(await load(target, connectionsFor(target), seconds));
    }
  }
  return loads;
}

/** Medians over the rounds; errors are summed. */
export function of(rounds: Rounds, name: string): Load {
  const loads = rounds.get(name) ?? [];
  return {
    requestsPerS: medianOf(loads, ({ requestsPerS }) => requestsPerS),
    p50Us: medianOf(loads, ({ p50Us }) => p50Us),
    p99Us: medianOf(loads, ({ p99Us }) => p99Us),
    cpuUsPerRequest: medianOf(loads, ({ cpuUsPerRequest }) => cpuUsPerRequest),
    errors: loads.reduce((sum, { errors }) => sum + errors, 0),
  };
}

/** Added to `limit`: a difference of neighbours, round by round, then the median. */
export function added(rounds: Rounds, name: string, limit: string, figure: (load: Load) => number): number {
  const limits = rounds.get(limit) ?? [];
  return medianOf(
    (rounds.get(name) ?? []).map((own, round) => figure(own) - figure(limits[round] ?? of(rounds, limit))),
    (value) => value,
  );
}
