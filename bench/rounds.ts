// Rounds of load over several targets in turns, so that what the machine does meanwhile meets all of them alike.
import { type Load, load, type Target } from "./load.ts";
import { medianOf } from "./stats.ts";

export type Rounds = ReadonlyMap<string, Load[]>;

/** For V8 to compile what this load asks for, ours and the rivals' alike: with fewer connections it compiles much of it anew. */
const WARM_UP_S = 3;

/** Each round begins with another target, and every other one goes backwards: none comes always behind the same neighbour. */
export async function alternate(
  targets: readonly Target[],
  connectionsFor: (target: Target) => number,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Rounds> {
  const loads = new Map<string, Load[]>(targets.map(({ name }) => [name, []]));
  for (const target of targets) await load(target, connectionsFor(target), WARM_UP_S);
  for (let round = 0; round < rounds; round++) {
    const step = round % 2 === 0 ? 1 : -1;
    for (let turn = 0; turn < targets.length; turn++) {
      const target = targets.at((round + step * turn) % targets.length);
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
