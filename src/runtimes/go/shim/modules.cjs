"use strict";
// Modules that the server has fetched already, laid out as a module proxy has them: links into a folder that is read-only in every box.
// Each file there is named by its hash, and the server says which ones this upload's go.sum asks for.
const { mkdirSync, symlinkSync, writeFileSync } = require("node:fs");
const paths = require("node:path");

const SHARED = "/go-modules";
const PROXY = "/tmp/proxy";

/** @returns {string} what `GOPROXY` is then: the folder first, as it costs nothing to look there */
function layModules(modules, proxy) {
  if (proxy === "off" || modules.length === 0) return proxy;
  for (const { name, file } of modules) {
    const link = paths.join(PROXY, name);
    mkdirSync(paths.dirname(link), { recursive: true });
    symlinkSync(paths.join(SHARED, file), link);
    writeFileSync(link.replace(/\.(?:zip|mod)$/, ".info"), JSON.stringify({ Version: versionIn(name) }));
  }
  return `file://${PROXY},${proxy}`;
}

/** Go asks for this of each module, though a version that is spelled out says it itself. */
function versionIn(name) {
  return paths
    .basename(name)
    .replace(/\.(?:zip|mod)$/, "")
    .replace(/!([a-z])/g, (_, letter) => letter.toUpperCase());
}

module.exports = { layModules, PROXY };
