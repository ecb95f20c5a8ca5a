"use strict";
// What kind of package there is: a program, or a handler that becomes one with a main function of ours.
const { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
const paths = require("node:path");
const { BuildError } = require("./build-error.cjs");
const { PLACES, runGo } = require("./go.cjs");
const { cleaned, firstLine, reportsIn } = require("./output.cjs");

const SERVER_PACKAGE = "/shim/handler";
/** Of generated files: theirs, whatever the go.mod around them says (a language version, since Go 1.21). */
const LANGUAGE = "//go:build go1.21\n\n";
const COMMENTS_AND_TEXTS = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])+'/g;
const MAIN = /^func\s+main\s*\(\s*\)/m;
const HANDLER = /^func\s+Handler\s*\(/m;
const IMPORTS_C = /^import\s+(?:\(\s*)?"C"/m;

/** @returns {Promise<{style: "program" | "handler", build: string}>} `build` is what `go build` is told in `folder` */
async function preparePackage(folder, env) {
  const fields = "-json=Name,GoFiles,IgnoredGoFiles,ImportPath,Error";
  const { ok, stdout, stderr } = await runGo(["list", "-find", "-e", fields, "."], { cwd: folder, env });
  if (!ok || stdout.trim() === "") throw failure(cleaned(stderr, folder));
  const found = JSON.parse(stdout);
  const { Name: name, GoFiles: files = [], ImportPath: importPath, Error: error } = found;
  if (files.length === 0) refuseCgo(folder, found.IgnoredGoFiles ?? []);
  if (error !== undefined && error !== null)
    throw failure(cleaned(`${error.Pos ? `${error.Pos}: ` : ""}${error.Err}`, folder));
  const texts = files.map((file) => readFileSync(paths.join(folder, file), "utf8").replace(COMMENTS_AND_TEXTS, blank));
  const hasHandler = texts.some((text) => HANDLER.test(text));
  if (name === "main" && (!hasHandler || texts.some((text) => MAIN.test(text))))
    return { style: "program", build: "." };
  if (!hasHandler) {
    const where = paths.relative(PLACES.root, folder) || "the root";
    throw new BuildError({
      message: `package ${name} in ${where} is no program: it needs "package main" with "func main()", or "func Handler(w http.ResponseWriter, r *http.Request)"`,
    });
  }
  return { style: "handler", build: wrap(folder, name, importPath) };
}

function failure(output) {
  return new BuildError({ message: firstLine(output), output, files: reportsIn(output, () => true) });
}

/** Keeps the lines, so that what stands at the start of one still does. */
function blank(text) {
  return text.startsWith("/") ? text.replace(/[^\n]/g, " ") : '""';
}

/** Go would only say that build constraints leave no file. */
function refuseCgo(folder, files) {
  const user = files.find((file) => {
    const text = readFileSync(paths.join(folder, file), "utf8").replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, blank);
    return IMPORTS_C.test(text);
  });
  if (user === undefined) return;
  const file = paths.join(paths.relative(PLACES.root, folder), user);
  throw new BuildError({
    message: `${file}: import "C": C code (cgo) cannot be built here`,
    files: [{ file, line: 1, column: 1, message: 'import "C"' }],
  });
}

/** Adds a main function around the handler; @returns what to build */
function wrap(folder, name, importPath) {
  const parts = existsSync(SERVER_PACKAGE) ? readdirSync(SERVER_PACKAGE) : [];
  if (parts.length === 0)
    throw new BuildError({ message: "handlers cannot be built here: the server's own Go package is missing" });
  const own = freeName(folder);
  const ownPath = `${importPath}/${own}`;
  mkdirSync(paths.join(folder, own, "server"), { recursive: true });
  for (const part of parts) {
    writeFileSync(
      paths.join(folder, own, "server", part),
      LANGUAGE + readFileSync(paths.join(SERVER_PACKAGE, part), "utf8"),
    );
  }
  const isMain = name === "main";
  const imports = [`"net/http"`, `server "${ownPath}/server"`, ...(isMain ? [] : [`user "${importPath}"`])];
  const handler = isMain ? "Handler" : "user.Handler";
  const text = `${LANGUAGE}package main\n\nimport (\n\t${imports.join("\n\t")}\n)\n\nfunc main() { server.Serve(http.HandlerFunc(${handler})) }\n`;
  writeFileSync(isMain ? paths.join(folder, `${own}.go`) : paths.join(folder, own, "main.go"), text);
  return isMain ? "." : `./${own}`;
}

function freeName(folder) {
  for (let number = 0; ; number++) {
    const name = `cloche_handler${number === 0 ? "" : number}`;
    if (!existsSync(paths.join(folder, name)) && !existsSync(paths.join(folder, `${name}.go`))) return name;
  }
}

module.exports = { preparePackage };
