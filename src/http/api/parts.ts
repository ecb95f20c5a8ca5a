import type { Clock } from "../../core/clock.ts";
import type { RunLimits } from "../../core/limits.ts";
import type { Catalog } from "../../services/catalog.ts";
import type { Deploy } from "../../services/deploy.ts";
import type { Executions } from "../../services/executions.ts";
import type { Functions } from "../../services/functions.ts";
import type { Callbacks } from "../../services/callbacks.ts";
import type { Inventory } from "../../services/inventory.ts";
import type { Invoke } from "../../services/invoke.ts";
import type { Jobs } from "../../services/jobs.ts";
import type { Keys } from "../../services/keys.ts";
import type { Kv } from "../../services/kv.ts";
import type { RecentRuns } from "../../services/recent-runs.ts";
import type { Scrape } from "../../services/prometheus.ts";
import type { Schedules } from "../../services/schedules.ts";
import type { Variables } from "../../services/variables.ts";
import type { Access } from "../access.ts";

/** What the management API is made of. */
export interface ManagementParts {
  readonly access: Access;
  readonly keys: Keys;
  readonly catalog: Catalog;
  readonly inventory: Inventory;
  readonly functions: Functions;
  readonly deploy: Deploy;
  readonly variables: Variables;
  readonly kv: Kv;
  readonly executions: Executions;
  readonly recentRuns: RecentRuns;
  readonly invoke: Invoke;
  readonly jobs: Jobs;
  readonly schedules: Schedules;
  readonly callbacks: Callbacks;
  readonly clock: Clock;
  readonly limits: RunLimits;
  /** Those that can run here. */
  readonly languages: readonly string[];
  /** Where callers reach the server, without a slash at the end. */
  readonly baseUrl: () => string;
  /** The product's. */
  readonly version: string;
  readonly describeSystem: () => Promise<object>;
  readonly scrape: () => Promise<Scrape>;
  readonly log: (line: string) => void;
}
