// @ts-check

/** @typedef {import("./examine.mjs").Machine} Machine */

/**
 * The name of the container that we are in; undefined on a machine of its own.
 *
 * @param {Machine} machine
 */
export function containerName(machine) {
  if (machine.exists("/.dockerenv")) return "Docker";
  if (machine.exists("/run/.containerenv")) return "Podman";
  return machine.read("/run/systemd/container")?.trim();
}
