// Installs the rivals and the load generator from bench/package-lock.json; does nothing where they are there already.
// Plain JavaScript for the same reason as scripts/setup.mjs.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HERE = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
/** Inside node_modules, so that deleting that folder forgets it. */
const MARKER = join(HERE, "node_modules/.bench-setup");

const lock = createHash("sha256")
  .update(readFileSync(join(HERE, "package-lock.json")))
  .digest("hex");
if (!existsSync(MARKER) || readFileSync(MARKER, "utf8") !== lock) {
  process.stdout.write("bench: installing the rivals from bench/package-lock.json\n");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: HERE, stdio: "inherit" });
  writeFileSync(MARKER, lock);
}
