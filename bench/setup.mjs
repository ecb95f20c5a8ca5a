// Installs the rivals and the load generator from bench/package-lock.json, and those in Python from bench/requirements.txt where there is
// a Python with pip; does nothing where they are there already. Plain JavaScript for the same reason as scripts/setup.mjs.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HERE = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
/** Inside node_modules, so that deleting that folder forgets it. */
const MARKER = join(HERE, "node_modules/.bench-setup");

const REQUIREMENTS = join(HERE, "requirements.txt");
const PYTHON_PACKAGES = join(HERE, "node_modules/.python");

const lock = createHash("sha256")
  .update(readFileSync(join(HERE, "package-lock.json")))
  .update(readFileSync(REQUIREMENTS))
  .digest("hex");
if (!existsSync(MARKER) || readFileSync(MARKER, "utf8") !== lock) {
  process.stdout.write("bench: installing the rivals from bench/package-lock.json\n");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: HERE, stdio: "inherit" });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
  const installed = spawnSync("python3", [...pip, "--target", PYTHON_PACKAGES, "--requirement", REQUIREMENTS], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (installed.status !== 0) process.stdout.write("bench: no rivals in Python\n");
  writeFileSync(MARKER, lock);
}
