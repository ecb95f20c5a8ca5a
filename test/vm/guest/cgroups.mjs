// The cgroups of the guest, as an administrator handles them.
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = "/sys/fs/cgroup";

/** A group below the root whose own groups can have limits, as an administrator makes one for a service. */
export function makeGroup(name) {
  writeFileSync(join(ROOT, "cgroup.subtree_control"), "+memory +pids +cpu");
  const folder = join(ROOT, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Hands a group to a user, as docs/running.md says. */
export function delegate(folder, uid) {
  for (const name of ["", "cgroup.procs", "cgroup.subtree_control"]) chownSync(join(folder, name), uid, uid);
}

export function read(folder, file) {
  return readFileSync(join(folder, file), "utf8").trim();
}

export function pidsIn(folder) {
  return read(folder, "cgroup.procs").split("\n").filter(Boolean).map(Number);
}

/** The number behind `key` in a file of `key number` lines. */
export function readKeyed(folder, file, key) {
  const line = read(folder, file)
    .split("\n")
    .find((text) => text.startsWith(`${key} `));
  return Number(line?.slice(key.length));
}

/** The groups of all servers, wherever they are. */
export function serverGroups(below = ROOT) {
  return readdirSync(below, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const folder = join(below, name);
      return /^cloche-\d+-\d+$/.test(name) ? [folder] : serverGroups(folder);
    });
}
