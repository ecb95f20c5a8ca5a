"use strict";
const { mkdirSync, writeFileSync } = require("node:fs");
const paths = require("node:path");
const { BuildError } = require("./build-error.cjs");
const { PLACES } = require("./go.cjs");

/** Writes the uploaded files below the root of sources. `files`: {path, bytes}, in the order in which `body` has their contents. */
function writeSources(files, body) {
  mkdirSync(PLACES.root, { recursive: true });
  const folders = new Set();
  let at = 0;
  for (const { path, bytes } of files) {
    const target = paths.join(PLACES.root, path);
    if (!target.startsWith(`${PLACES.root}/`))
      throw new BuildError({ message: `the path ${JSON.stringify(path)} leads out` });
    const folder = paths.dirname(target);
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
    folders.add(folder);
    writeFileSync(target, body.subarray(at, at + bytes));
    at += bytes;
  }
}

module.exports = { writeSources };
