// Promises that no test of this folder attacks, each with where it is shown, or with what it waits for.

/** Shown by tests at `by`, or not to be shown before `awaits` is there. */
export type Elsewhere = { readonly by: string } | { readonly awaits: string };

const EGRESS = { by: "test/e2e/egress.test.ts" };
const ARCHIVES = { by: "src/services/archive.test.ts" };
const RESPONSES = { by: "src/http/doors/functions/response.test.ts" };
const FUNCTIONS = { by: "test/e2e/functions.test.ts" };
const SESSIONS = { by: "test/e2e/management-access.test.ts" };
const KEYS = { by: "test/e2e/access.test.ts" };
const ROLES = { awaits: "roles and quotas" };
const SECRET_BOX = { by: "src/services/secret-box.test.ts" };
const REDIS = { by: "src/store/redis/redis-faults.test.ts" };
const VIRTUAL_MACHINE = { by: "test/vm" };

export const ELSEWHERE: Readonly<Record<string, Elsewhere>> = {
  "ESC-02": ARCHIVES,
  "ESC-03": ARCHIVES,

  "NET-02": EGRESS,
  "NET-03": EGRESS,
  "NET-04": EGRESS,
  "NET-05": EGRESS,
  "NET-06": EGRESS,
  "NET-07": EGRESS,
  "NET-08": EGRESS,
  "NET-09": { by: "src/sandbox/egress/gate-requests.test.ts" },
  "NET-11": { by: "src/sandbox/egress/addresses.test.ts" },
  "NET-12": { by: "src/sandbox/egress/gate-requests.test.ts" },
  "NET-15": EGRESS,
  "NET-17": { by: "test/e2e/callbacks.test.ts" },

  "API-01": KEYS,
  "API-02": ROLES,
  "API-04": ARCHIVES,
  "API-05": ARCHIVES,
  "API-08": RESPONSES,
  "API-09": FUNCTIONS,
  "API-11": FUNCTIONS,
  "API-13": SESSIONS,
  "API-14": KEYS,
  "API-15": ROLES,
  "API-17": { by: "test/browser/every-page.test.ts" },
  "API-21": { by: "src/services/fire-times.test.ts" },
  "API-22": { by: "src/queue/queue.contract.ts" },

  "BLD-02": { awaits: "npm packages" },
  "BLD-04": { by: "src/services/build/modules.test.ts" },

  "DAT-01": { by: "src/store/sqlite/sqlite-store.test.ts" },
  "DAT-03": { by: "src/store/sqlite/sqlite-store.test.ts" },
  "DAT-04": { awaits: "tests on a data volume of their own" },
  "DAT-05": { awaits: "tests on a data volume of their own" },
  "DAT-06": { by: "src/store/sqlite/open-database.test.ts" },
  "DAT-07": { by: "src/store/sqlite/open-database.test.ts" },
  "DAT-08": { by: "test/e2e/redis-down.test.ts" },
  "DAT-09": REDIS,
  "DAT-10": { by: "src/store/redis/redis-network.test.ts" },
  "DAT-11": REDIS,
  "DAT-12": { by: "src/store/store.contract.ts" },
  "DAT-13": { by: "test/e2e/start-and-stop.test.ts" },
  "DAT-14": { by: "test/e2e/start-and-stop.test.ts" },
  "DAT-15": { by: "test/e2e/start-and-stop.test.ts" },
  "DAT-16": { by: "test/e2e/faults.test.ts" },
  "DAT-17": { by: "src/store/store.contract.ts" },
  "DAT-18": { awaits: "backups" },
  "DAT-19": { by: "src/store/sqlite/open-database.test.ts" },
  "DAT-20": REDIS,

  "SEC-02": SECRET_BOX,
  "SEC-05": { by: "src/services/keys.test.ts" },
  "SEC-06": KEYS,
  "SEC-07": SECRET_BOX,

  "HST-01": VIRTUAL_MACHINE,
  "HST-02": VIRTUAL_MACHINE,
  "HST-03": VIRTUAL_MACHINE,
  "HST-05": VIRTUAL_MACHINE,
  "HST-06": VIRTUAL_MACHINE,
  "HST-07": { by: "test/doctor/examine.test.ts" },
  "HST-08": { by: "test/doctor/examine.test.ts" },
  "HST-09": { by: "src/sandbox/seccomp/compile.test.ts" },
  "HST-10": { by: "src/sandbox/cgroup/cgroup.test.ts" },
};
