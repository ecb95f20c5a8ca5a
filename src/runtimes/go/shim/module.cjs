"use strict";
// The module that a package belongs to: its go.mod is written where there is none, and looked through before anything follows it.
const { existsSync, writeFileSync } = require("node:fs");
const paths = require("node:path");
const { BuildError } = require("./build-error.cjs");
const { PLACES, runGo } = require("./go.cjs");
const { cleaned, firstLine, reportsIn } = require("./output.cjs");

const isGoMod = (file) => paths.basename(file) === "go.mod";

/** @returns {Promise<{root: string, isVendored: boolean}>} the folder of go.mod, and whether its modules lie beside it */
async function prepareModule(folder, goVersion, env) {
  const root = moduleRoot(folder) ?? folder;
  const file = paths.join(root, "go.mod");
  if (!existsSync(file)) {
    const [major, minor] = goVersion.split(".");
    writeFileSync(file, `module example.com/function\n\ngo ${major}.${parseInt(minor, 10)}\n`);
  }
  const { ok, stdout, stderr } = await runGo(["mod", "edit", "-json"], { cwd: root, env });
  if (!ok) {
    const output = cleaned(stderr, root);
    throw new BuildError({ message: firstLine(output), output, files: reportsIn(output, isGoMod) });
  }
  const { Go: wanted, Replace: replaced } = JSON.parse(stdout);
  refuseNewer(wanted, goVersion);
  for (const { Old, New } of replaced ?? []) if (New.Version === undefined) refuseOutside(Old.Path, New.Path, root);
  return { root, isVendored: existsSync(paths.join(root, "vendor")) };
}

function moduleRoot(folder) {
  if (existsSync(paths.join(folder, "go.mod"))) return folder;
  return folder === PLACES.root ? undefined : moduleRoot(paths.dirname(folder));
}

/** Go says it as well, but not what to do about it here. */
function refuseNewer(wanted, has) {
  if (wanted === undefined || !isNewer(wanted, has)) return;
  throw new BuildError({
    message: `go.mod asks for Go ${wanted}; this server has Go ${has}, and downloads no other. Lower the line "go ${wanted}" or install it`,
  });
}

function isNewer(wanted, has) {
  const [one, other] = [wanted, has].map((version) =>
    /^(\d+)\.(\d+)(?:\.(\d+))?/
      .exec(version)
      ?.slice(1)
      .map((part) => Number(part ?? 0)),
  );
  if (one === undefined || other === undefined) return false; // Go itself will say what is wrong with it
  const at = one.findIndex((part, index) => part !== other[index]);
  return at >= 0 && one[at] > other[at];
}

function refuseOutside(module, path, root) {
  const target = paths.isAbsolute(path) ? path : paths.resolve(root, path);
  const inRoot = paths.relative(PLACES.root, target);
  if (!paths.isAbsolute(path) && inRoot !== ".." && !inRoot.startsWith("../")) return;
  throw new BuildError({
    message: `go.mod replaces ${module} by ${JSON.stringify(path)}, which is not among the uploaded files`,
  });
}

module.exports = { prepareModule };
