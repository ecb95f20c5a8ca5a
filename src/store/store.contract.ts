import { accessContract } from "./access.contract.ts";
import { artifactsContract } from "./artifacts.contract.ts";
import type { OpenStore } from "./contract.fixture.ts";
import { executionsContract } from "./executions.contract.ts";
import { functionsContract } from "./functions.contract.ts";
import { kvContract } from "./kv.contract.ts";
import { metricsContract } from "./metrics.contract.ts";
import { retentionContract } from "./retention.contract.ts";
import { searchContract } from "./search.contract.ts";
import { variablesContract } from "./variables.contract.ts";
import { versionsContract } from "./versions.contract.ts";

/** What every store must do. Each adapter's test calls this; `open` gives an empty store. */
export function storeContract(open: OpenStore): void {
  functionsContract(open);
  versionsContract(open);
  artifactsContract(open);
  variablesContract(open);
  kvContract(open);
  executionsContract(open);
  searchContract(open);
  retentionContract(open);
  metricsContract(open);
  accessContract(open);
}
