// Prepares everything that `npm start` and `npm test` need, says what it does, and does nothing where nothing is missing.
// Plain JavaScript for Node 20: it runs before there is anything else.
//   node scripts/setup.mjs         what a server needs
//   node scripts/setup.mjs --dev   also what checks and tests need
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGo } from "./doctor/go.mjs";

const ROOT = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
/** Inside node_modules, so that deleting that folder forgets it. */
const MARKER = join(ROOT, "node_modules/.cloche-setup.json");
const LEAST_NODE = 20;
const DASHBOARD = join(ROOT, "dashboard");
/** What the build was made of; it lies with the build, so that both travel together. */
const BUILD_MARKER = "built-from.txt";
/** Folders of dashboard/ that hold what is made of it. */
const NOT_SOURCES = /^(?:node_modules|dist(?:-\d+)?)$/;

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
  {
    command: "/usr/bin/redis-server",
    packages: { "apt-get": "redis-server", dnf: "redis", pacman: "redis", apk: "redis" },
    for: "tests of the store and the queue on Redis",
    dev: true,
  },
  ...["nginx", "haproxy"].map((name) => ({
    command: `/usr/sbin/${name}`,
    packages: { "apt-get": name, dnf: name, pacman: name, apk: name },
    for: "tests of the samples for load balancers",
    dev: true,
  })),
  {
    command: "/usr/bin/chromium-headless-shell",
    instead: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
    packages: { "apt-get": "chromium-headless-shell", dnf: "chromium", pacman: "chromium", apk: "chromium" },
    for: "tests of the dashboard",
    dev: true,
  },
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

/** What Go is called in each distribution's packages. */
const GO_PACKAGES = [
  ["apt-get", "golang-go"],
  ["dnf", "golang"],
  ["pacman", "go"],
  ["apk", "go"],
];
const LEAST_GO_MINOR = 21;
/** That we looked for Go once: inside node_modules, too. */
const NO_GO_MARKER = join(ROOT, "node_modules/.cloche-no-go");

const dev = process.argv.includes("--dev");
try {
  checkPlatform();
  installPackages();
  installSystemCommands();
  installGo();
  buildDashboard();
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
  const lock = hashOf([readFileSync(join(ROOT, "package-lock.json"))]);
  const done = readMarker(MARKER);
  if (done?.lock === lock && (done.dev || !dev)) return;
  const withDev = dev || done?.dev === true;
  say(`installing npm packages from the lockfile${withDev ? ", development packages too" : ""} (Node 24 among them)`);
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...(withDev ? [] : ["--omit=dev"])]);
  writeFileSync(MARKER, JSON.stringify({ lock, dev: withDev }));
}

function installSystemCommands() {
  const missing = SYSTEM_COMMANDS.filter(
    ({ command, instead = [], dev: isForDev }) => (dev || isForDev !== true) && ![command, ...instead].some(existsSync),
  );
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

/**
 * Go is large, and a server without it runs everything but Go's source: it is installed by root alone, where the distribution's is new
 * enough, and asked for once. Nothing that goes wrong here stops the start.
 */
function installGo() {
  const files = {
    env: process.env,
    exists: existsSync,
    read: (path) => orUndefined(() => readFileSync(path, "utf8")),
    realPath: (path) => orUndefined(() => realpathSync(path)),
    list: (path) => orUndefined(() => readdirSync(path)) ?? [],
  };
  if (findGo(files)?.isFit || existsSync(NO_GO_MARKER)) return;
  const without = "functions in Go are then taken as executables and WebAssembly modules only; see docs/go.md";
  const [manager, name] = GO_PACKAGES.find(([command]) => spawnSync(command, ["--version"]).error === undefined) ?? [];
  try {
    if (manager === undefined) say(`there is no Go, and no package manager that setup knows; ${without}`);
    else if (process.getuid() !== 0)
      say(`there is no Go, and only root can install it (${manager}: ${name}); ${without}`);
    else if (manager === "apt-get" && !isNewEnough(candidateOf(name)))
      say(`there is no Go 1.21 or newer here; ${without}`);
    else {
      const [command, ...args] = [manager, ...INSTALL[manager].at(-1), name];
      say(`installing Go, to build functions in Go: ${command} ${args.join(" ")}`);
      run(command, args, { DEBIAN_FRONTEND: "noninteractive" });
    }
  } catch (error) {
    say(`${error.message}; ${without}`);
  }
  writeFileSync(NO_GO_MARKER, "");
}

/** What apt would install: `2:1.24~2`. */
function candidateOf(name) {
  const { stdout } = spawnSync("apt-cache", ["policy", name], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  return /Candidate: (\S+)/.exec(stdout ?? "")?.[1] ?? "";
}

function isNewEnough(version) {
  return Number(/^(?:\d+:)?1\.(\d+)/.exec(version)?.[1] ?? 0) >= LEAST_GO_MINOR;
}

function orUndefined(attempt) {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}

/** Where its sources have changed since the last build. A server that was unpacked with a build needs none of this. */
function buildDashboard() {
  const dist = join(DASHBOARD, "dist");
  const marker = join(dist, BUILD_MARKER);
  const sources = sourcesOf(DASHBOARD);
  if (sources.length === 0) return; // the build came alone, or not at all
  const from = hashOf(sources.flatMap((path) => [path.slice(DASHBOARD.length), "\0", readFileSync(path), "\0"]));
  const isBuilt = existsSync(marker) && readFileSync(marker, "utf8") === from;
  // Beside the one of before, which a server may be serving just now.
  const built = `dist-${process.pid}`;
  try {
    if (dev || !isBuilt) installDashboardPackages(); // checks need their types
    if (isBuilt) return;
    say("building the dashboard");
    const node = join(ROOT, "node_modules/.bin/node");
    run(node, ["node_modules/vite/bin/vite.js", "build", "--outDir", built, "--logLevel", "warn"], {}, DASHBOARD);
    writeFileSync(join(DASHBOARD, built, BUILD_MARKER), from);
    rmSync(dist, { recursive: true, force: true });
    renameSync(join(DASHBOARD, built), dist);
  } catch (error) {
    // Functions run without it: a server without a network, say, had better start.
    if (dev) throw error;
    const instead = existsSync(dist) ? "with the dashboard of before" : "without a dashboard";
    say(`${error.message}; the server starts ${instead}`);
  } finally {
    rmSync(join(DASHBOARD, built), { recursive: true, force: true });
  }
}

function installDashboardPackages() {
  const marker = join(DASHBOARD, "node_modules/.cloche-setup.json");
  const lock = hashOf([readFileSync(join(DASHBOARD, "package-lock.json"))]);
  if (readMarker(marker)?.lock === lock) return;
  say("installing the npm packages that the dashboard is built with");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {}, DASHBOARD);
  writeFileSync(marker, JSON.stringify({ lock }));
}

/** Every file that a build depends on, in a fixed order. */
function sourcesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !NOT_SOURCES.test(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sourcesOf(path) : [path];
    })
    .toSorted((one, other) => (one < other ? -1 : 1));
}

function hashOf(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function readMarker(marker) {
  try {
    return JSON.parse(readFileSync(marker, "utf8"));
  } catch {
    return undefined;
  }
}

function run(command, args, env = {}, cwd = ROOT) {
  try {
    execFileSync(command, args, { cwd, stdio: "inherit", env: { ...process.env, ...env } });
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
