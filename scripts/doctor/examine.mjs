// @ts-check
// All checks, in the order in which a person would repair: the machine, the sandbox, its limits, then what the server needs.
import { checkBubblewrap } from "./bubblewrap.mjs";
import { checkCapacity } from "./capacity.mjs";
import { checkCgroups } from "./cgroups.mjs";
import { checkDataFolder } from "./data-folder.mjs";
import { checkGo } from "./go.mjs";
import { checkHostileTenants } from "./hostile-tenants.mjs";
import { checkPlatform } from "./platform.mjs";
import { checkPort } from "./port.mjs";
import { checkRuntimes } from "./runtimes.mjs";
import { checkSandbox } from "./sandbox.mjs";
import { readSettings } from "./settings.mjs";
import { checkUser } from "./user.mjs";

/** @type {typeof import("./examine.mjs").examine} */
export async function examine(machine) {
  const { settings, findings } = readSettings(machine);
  return [
    ...checkPlatform(machine),
    ...checkRuntimes(machine),
    checkGo(machine),
    ...checkBubblewrap(machine),
    ...checkSandbox(machine, settings),
    ...checkCgroups(machine, settings),
    ...checkUser(machine),
    ...findings,
    ...checkCapacity(machine, settings),
    ...checkDataFolder(machine, settings),
    ...(await checkPort(machine, settings)),
    ...checkHostileTenants(machine),
  ];
}
