// @ts-check
// How this machine's distribution installs things. scripts/setup.mjs does the same at the first start.

/** @typedef {import("./examine.mjs").Machine} Machine */

/** @type {readonly { place: string, install: (name: string) => string }[]} */
const MANAGERS = [
  { place: "/usr/bin/apt-get", install: (name) => `apt-get update && apt-get install -y ${name}` },
  { place: "/usr/bin/dnf", install: (name) => `dnf install -y ${name}` },
  { place: "/usr/bin/pacman", install: (name) => `pacman -Sy --noconfirm --needed ${name}` },
  { place: "/sbin/apk", install: (name) => `apk add ${name}` },
];

/**
 * The `fix` of a finding that a package cures. `names` may differ by manager; `default` is for all others.
 *
 * @param {Machine} machine
 * @param {{ readonly [place: string]: string, readonly default: string }} names
 */
export function installing(machine, names) {
  const manager = MANAGERS.find(({ place }) => machine.exists(place));
  if (manager === undefined) return { fix: [`install ${names.default} with your package manager`], canFix: false };
  return { fix: [manager.install(names[manager.place] ?? names.default)], canFix: true, needsRoot: true };
}
