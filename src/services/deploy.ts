import type { Clock } from "../core/clock.ts";
import type { EgressPolicy } from "../core/egress-policy.ts";
import type { Store, StoredVersion } from "../store/store.ts";
import type { Catalog } from "./catalog.ts";
import { grantEgress } from "./egress.ts";
import type { Programs } from "./programs.ts";

export interface Upload {
  readonly functionName: string;
  readonly language: string;
  readonly source: string;
  /** Undefined: whatever the server allows. */
  readonly egress?: EgressPolicy | undefined;
}

export type Deploy = (upload: Upload) => Promise<StoredVersion>;

/** Makes a new version of a function: durable first, then in force, then answered. */
export function createDeploy(deps: {
  store: Store;
  catalog: Catalog;
  programs: Programs;
  egress: EgressPolicy;
  clock: Clock;
}): Deploy {
  return async function deploy(upload) {
    deps.programs.check(upload.language);
    grantEgress(upload.egress, deps.egress);
    const stored = await deps.store.addVersion({ ...upload, nowMs: deps.clock.now() });
    await deps.catalog.add(stored);
    return stored;
  };
}
