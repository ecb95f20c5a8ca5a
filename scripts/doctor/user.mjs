// @ts-check
// Who the server would be, and where.
import { containerName } from "./container.mjs";

/** @typedef {import("./examine.mjs").Finding} Finding */
/** @typedef {import("./examine.mjs").Machine} Machine */

/**
 * @param {Machine} machine
 * @returns {Finding[]}
 */
export function checkUser(machine) {
  const container = containerName(machine);
  return [
    {
      id: "user",
      level: "info",
      ...(machine.uid === 0
        ? {
            what: "the server would run as root: every sandbox gets a user of its own, which has nothing on this machine",
            cost: "a hole in the server itself is a hole in the machine",
          }
        : {
            what: `the server would run as user ${machine.uid}: it has no power over the machine`,
            cost: "sandboxes are this user, too: whoever left one could read what this user can, so give the server a user of its own",
          }),
      canFix: false,
    },
    {
      id: "container",
      level: "info",
      what: container === undefined ? "on a machine of its own, not in a container" : `in a container (${container})`,
      ...(container === undefined ? {} : { cost: "needs options of its own: docs/running.md" }),
      canFix: false,
    },
  ];
}
