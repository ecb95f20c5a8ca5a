// Prepares everything that `npm start` and `npm test` need, says what it does, and does nothing where nothing is missing.
// Plain JavaScript for Node 20: it runs before there is anything else.
//   node scripts/setup.mjs         what a server needs
//   node scripts/setup.mjs --dev   also what checks and tests need
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
/** Inside node_modules, so that deleting that folder forgets it. */
const MARKER = join(ROOT, "node_modules/.cloche-setup.json");
const LEAST_NODE = 20;

/** What a command is called in each distribution's packages; `apk` and so on are looked for in this order. */
const SYSTEM_COMMANDS = [
  {
    command: "/usr/bin/bwrap",
    packages: { "apt-get": "bubblewrap", dnf: "bubblewrap", pacman: "bubblewrap", apk: "bubblewrap" },
    for: "every sandbox",
  },
  {
    command: "/usr/bin/python3",
    packages: { "apt-get": "python3", dnf: "python3", pacman: "python", apk: "python3" },
    for: "functions in Python",
  },
  {
    command: "/usr/bin/luajit",
    packages: { "apt-get": "luajit", dnf: "luajit", pacman: "luajit", apk: "luajit" },
    for: "functions in Lua",
  },
  ...["curl", "jq"].map((name) => ({
    command: `/usr/bin/${name}`,
    packages: { "apt-get": name, dnf: name, pacman: name, apk: name },
    for: "tests of the documents",
    dev: true,
  })),
];
const INSTALL = {
  "apt-get": [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends"],
  ],
  dnf: [["install", "-y", "-q"]],
  pacman: [["-Sy", "--noconfirm", "--needed"]],
  apk: [["add", "--quiet"]],
};

const dev = process.argv.includes("--dev");
try {
  checkPlatform();
  installPackages();
  installSystemCommands();
} catch (error) {
  process.stderr.write(`\nsetup: ${error.message}\n`);
  process.exit(1);
}

function checkPlatform() {
  if (process.platform !== "linux") throw new Error(`Cloche runs on Linux; this is ${process.platform}`);
  const major = Number(process.versions.node.split(".")[0]);
  if (major < LEAST_NODE)
    throw new Error(`Node ${LEAST_NODE} or newer is needed to begin with; this is ${process.version}`);
}

/** `npm ci`, when the lockfile has changed since the last time or when the development packages are wanted and not there. */
function installPackages() {
  const lock = createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex");
  const done = readMarker();
  if (done?.lock === lock && (done.dev || !dev)) return;
  const withDev = dev || done?.dev === true;
  say(`installing npm packages from the lockfile${withDev ? ", development packages too" : ""} (Node 24 among them)`);
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...(withDev ? [] : ["--omit=dev"])]);
  writeFileSync(MARKER, JSON.stringify({ lock, dev: withDev }));
}

function installSystemCommands() {
  const missing = SYSTEM_COMMANDS.filter((entry) => (dev || entry.dev !== true) && !existsSync(entry.command));
  if (missing.length === 0) return;
  const manager = Object.keys(INSTALL).find(
    (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).error === undefined,
  );
  const names = missing.map(({ command, for: purpose }) => `${command} (for ${purpose})`).join(", ");
  if (manager === undefined)
    throw new Error(`missing: ${names}, and no package manager that setup knows; install them by hand`);
  const packages = missing.map((entry) => entry.packages[manager]);
  const commands = INSTALL[manager].map((args) => [manager].concat(args));
  commands.at(-1)?.push(...packages);
  const asUser = process.getuid() === 0 ? [] : ["sudo"];
  const shown = commands.map((command) => [...asUser, ...command].join(" ")).join(" && ");
  say(`missing: ${names}; installing: ${shown}`);
  for (const command of commands) {
    const [name, ...args] = [...asUser, ...command];
    try {
      run(name, args, { DEBIAN_FRONTEND: "noninteractive" });
    } catch (error) {
      throw new Error(`${error.message}. Install by hand, then start again: ${shown}`, { cause: error });
    }
  }
}

function readMarker() {
  try {
    return JSON.parse(readFileSync(MARKER, "utf8"));
  } catch {
    return undefined;
  }
}

function run(command, args, env = {}) {
  try {
    execFileSync(command, args, { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...env } });
  } catch (error) {
    throw new Error(
      `"${command} ${args.join(" ")}" failed${error.status ? ` with exit code ${error.status}` : `: ${error.message}`}`,
      { cause: error },
    );
  }
}

function say(text) {
  process.stdout.write(`setup: ${text}\n`);
}
