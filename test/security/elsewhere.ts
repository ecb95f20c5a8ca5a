// Promises that no test of this folder attacks, each with where it is shown, or with what it waits for.

/** Shown by tests at `by`, or not to be shown before `awaits` is there. */
export type Elsewhere = { readonly by: string } | { readonly awaits: string };

const EGRESS = { by: "test/e2e/egress.test.ts" };
const BUNDLES = { awaits: "bundles: functions of many files" };
const HTTP_FUNCTIONS = { awaits: "HTTP functions, whose responses are headers and bytes" };
const DASHBOARD = { awaits: "the dashboard and its logins" };
const KEYS = { by: "test/e2e/access.test.ts" };
const ROLES = { awaits: "roles and quotas" };
const SECRETS = { awaits: "secrets" };
const REDIS = { awaits: "the Redis store" };
const QUEUES = { awaits: "jobs and schedules" };
const VIRTUAL_MACHINE = { by: "test/vm" };

export const ELSEWHERE: Readonly<Record<string, Elsewhere>> = {
  "ESC-02": BUNDLES,
  "ESC-03": BUNDLES,

  "NET-02": EGRESS,
  "NET-03": EGRESS,
  "NET-04": EGRESS,
  "NET-05": EGRESS,
  "NET-06": EGRESS,
  "NET-07": EGRESS,
  "NET-08": EGRESS,
  "NET-09": { by: "src/sandbox/egress/gate.test.ts" },
  "NET-11": { by: "src/sandbox/egress/addresses.test.ts" },
  "NET-12": { by: "src/sandbox/egress/gate.test.ts" },
  "NET-15": EGRESS,
  "NET-17": { awaits: "webhooks and imports by address" },

  "TEN-01": { awaits: "the key-value store of functions" },

  "API-01": KEYS,
  "API-02": ROLES,
  "API-04": BUNDLES,
  "API-05": BUNDLES,
  "API-08": HTTP_FUNCTIONS,
  "API-09": HTTP_FUNCTIONS,
  "API-11": HTTP_FUNCTIONS,
  "API-13": DASHBOARD,
  "API-14": KEYS,
  "API-15": ROLES,
  "API-17": DASHBOARD,
  "API-21": QUEUES,
  "API-22": QUEUES,

  "BLD-02": { awaits: "npm packages" },
  "BLD-04": { awaits: "npm packages" },

  "DAT-01": { by: "src/store/sqlite/sqlite-store.test.ts" },
  "DAT-03": { by: "src/store/sqlite/sqlite-store.test.ts" },
  "DAT-04": { awaits: "tests on a data volume of their own" },
  "DAT-05": { awaits: "tests on a data volume of their own" },
  "DAT-06": { by: "src/store/sqlite/open-database.test.ts" },
  "DAT-07": { by: "src/store/sqlite/open-database.test.ts" },
  "DAT-08": REDIS,
  "DAT-09": REDIS,
  "DAT-10": REDIS,
  "DAT-11": REDIS,
  "DAT-12": { by: "src/store/store.contract.ts" },
  "DAT-13": { by: "test/e2e/start-and-stop.test.ts" },
  "DAT-14": { by: "test/e2e/start-and-stop.test.ts" },
  "DAT-15": { by: "test/e2e/start-and-stop.test.ts" },
  "DAT-16": QUEUES,
  "DAT-17": { by: "src/store/store.contract.ts" },
  "DAT-18": { awaits: "backups" },
  "DAT-19": { by: "src/store/sqlite/open-database.test.ts" },
  "DAT-20": REDIS,

  "SEC-01": SECRETS,
  "SEC-02": SECRETS,
  "SEC-03": SECRETS,
  "SEC-04": SECRETS,
  "SEC-05": { by: "src/services/keys.test.ts" },
  "SEC-06": KEYS,
  "SEC-07": SECRETS,
  "SEC-08": SECRETS,

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
