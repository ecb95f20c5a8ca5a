// What other servers on the same store change comes into force here, too: without it, what is in memory would stay as it was.
import { messageOf } from "../core/errors.ts";
import type { Change, Changes } from "../store/changes.ts";
import type { Catalog } from "./catalog.ts";
import type { Keys } from "./keys.ts";
import type { Sessions } from "./sessions.ts";

export interface ClusterChangesDeps {
  readonly changes: Changes;
  readonly catalog: Catalog;
  readonly keys: Keys;
  readonly sessions: Sessions;
  readonly log: (line: string) => void;
}

/**
 * Resolves when all is in force that was changed before, to what ends it. Rejects with PlatformError STORE_UNAVAILABLE.
 */
export async function followChanges(deps: ClusterChangesDeps): Promise<() => void> {
  const { changes, catalog, keys, sessions, log } = deps;

  async function takeIn({ kind, id }: Change): Promise<void> {
    switch (kind) {
      case "function":
        await refresh(catalog, id);
        break;
      case "variables":
        await refresh(catalog, id);
        catalog.rebind(id);
        break;
      case "removed":
        catalog.remove(id);
        break;
      case "version-removed": {
        const [functionId = "", number] = id.split(" ");
        catalog.removeVersion(functionId, Number(number));
        await refresh(catalog, functionId);
        break;
      }
      case "keys":
        await keys.reload();
        break;
      case "sessions":
        await sessions.reload();
        break;
      default: // somebody else's
    }
  }

  async function takeInAll(): Promise<void> {
    await Promise.all([catalog.reload(), keys.reload(), sessions.reload()]);
  }

  const told =
    <Args extends unknown[]>(task: (...args: Args) => Promise<void>) =>
    async (...args: Args): Promise<void> => {
      try {
        await task(...args);
      } catch (error) {
        log(`a change by another server is not in force here yet: ${messageOf(error)}`);
        throw error; // it is tried again
      }
    };
  const stop = changes.subscribe({ onChange: told(takeIn), onGap: told(takeInAll) });
  await takeInAll(); // what was changed between our reading and our listening
  return stop;
}

async function refresh(catalog: Catalog, functionId: string): Promise<void> {
  if ((await catalog.refresh(functionId)) === undefined) catalog.remove(functionId);
}
