"use strict";
// What the go command prints, with the paths of whoever uploaded the sources: no path of the box, none of the host.
const paths = require("node:path");
const { PLACES } = require("./go.cjs");
const { PROXY } = require("./modules.cjs");

const POSITION = /(?<path>[^\s:"'`(]+\.(?:go|s|h|mod|sum)):(?<line>\d+)(?::(?<column>\d+))?/g;
const REPORT = /^(?<file>[^\s:]+\.(?:go|s|h|mod|sum)):(?<line>\d+)(?::(?<column>\d+))?: (?<message>.+)$/;
const MAX_CHARS = 65_536;
const MAX_REPORTS = 100;

/** @param cwd the folder that the command ran in: its paths are relative to that, ours to the upload's root */
function cleaned(text, cwd) {
  const lines = text
    .replaceAll("\r", "")
    .split("\n")
    .filter((line) => !/^go: (?:downloading|finding|added|found) /.test(line));
  const shown = lines.map((line) =>
    line
      .replace(POSITION, (whole, path) => whole.replace(path, fromRoot(path, cwd)))
      .replaceAll(`${PLACES.root}/`, "")
      .replaceAll(PLACES.root, ".")
      .replaceAll(`${PLACES.modules}/`, "")
      .replaceAll(`file://${PROXY}`, "cache:")
      .replaceAll("/rt/go", "GOROOT"),
  );
  const all = shown.join("\n").trim();
  return all.length > MAX_CHARS ? `${all.slice(0, MAX_CHARS)}\n…` : all;
}

function fromRoot(path, cwd) {
  const absolute = paths.isAbsolute(path) ? path : paths.join(cwd, path);
  const inRoot = paths.relative(PLACES.root, absolute);
  return inRoot.startsWith("..") ? path : inRoot;
}

/** The lines of a cleaned output that name a place in a file. */
function reportsIn(output, isUsers) {
  return output
    .split("\n")
    .flatMap((text) => {
      const { file, line, column, message } = REPORT.exec(text)?.groups ?? {};
      if (file === undefined || !isUsers(file)) return [];
      return [{ file, line: Number(line), column: Number(column ?? 1), message }];
    })
    .slice(0, MAX_REPORTS);
}

/** The line that tells most: the first one with a place, or the first that is no heading; with what it announces. */
function firstLine(output) {
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("# "));
  const at = lines.findIndex((line) => REPORT.test(line));
  const [first = "the build failed without a word", ...rest] = lines.slice(Math.max(0, at));
  const isAnnouncing = first.endsWith(":") || /^package \S+$/.test(first); // the package that imports what is wrong
  const more = isAnnouncing ? rest.filter((line, index) => index === 0 || line.startsWith("\timports")) : [];
  return [first, ...more]
    .map((line) => line.trim())
    .join(" ")
    .slice(0, 500);
}

module.exports = { cleaned, firstLine, reportsIn };
