// @ts-check
"use strict";
// The files of the program as modules for Node's own loader: under file:///<path>, although no such file is there.
const { isBuiltin, registerHooks } = require("node:module");
const { readdirSync } = require("node:fs");
const { pathToFileURL } = require("node:url");

const SHIM_URL = `${pathToFileURL(__dirname).href}/`;
/** Our own modules; a program may have a folder of the same name. */
const OWN_URLS = new Set(readdirSync(__dirname).map((name) => SHIM_URL + name));
const CLOCHE_URL = `${SHIM_URL}cloche.cjs`;
const ROOT_URL = "file:///";
/** Modules of our own that are only linked, see `checkModule`. */
const PROBE_URL = "cloche-check:probe?";
const NOTHING_URL = "cloche-check:nothing";
/** What may be left out behind a path, in this order. TypeScript may be imported under the name that it compiles to. */
const ENDINGS = [
  "",
  ".js",
  ".ts",
  ".mjs",
  ".mts",
  ".cjs",
  ".cts",
  ".json",
  "/index.js",
  "/index.ts",
  "/index.mjs",
  "/index.cjs",
];
const FILES_NAMED = 20;

/** @typedef {{ text: string, format: "module" | "commonjs" | "json" | "text" }} File */

/** @type {Map<string, File>} by path */
const files = new Map();
let entry = "";
let isInstalled = false;
let onLoad = () => {};

/**
 * Call once, before any user code. Without `code` the main file is a script, which is compiled elsewhere.
 * @param {{ file: string, files?: Record<string, string>, formats?: Record<string, any>, format?: any }} options
 * @param {string | undefined} code of the main file
 * @param {() => void} loaded called whenever a file of the program is loaded
 */
function installLoader(options, code, loaded = () => {}) {
  if (isInstalled) return;
  isInstalled = true;
  entry = options.file;
  onLoad = loaded;
  for (const [path, text] of Object.entries(options.files ?? {})) {
    files.set(path, { text, format: options.formats?.[path] ?? (path.endsWith(".json") ? "json" : "text") });
  }
  if (code !== undefined) files.set(entry, { text: code, format: options.format });
  registerHooks({ resolve, load });
}

const urlOf = (path) => new URL(path.split("/").map(encodeURIComponent).join("/"), ROOT_URL).href;

/** @returns {string | undefined} the path below the root */
function pathOf(url) {
  if (!url.startsWith(ROOT_URL)) return undefined;
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function resolve(specifier, context, next) {
  if (specifier === "cloche") return { url: CLOCHE_URL, format: "commonjs", shortCircuit: true };
  if (specifier.startsWith(PROBE_URL) || specifier === NOTHING_URL) {
    return { url: specifier, format: "module", shortCircuit: true };
  }
  if (isBuiltin(specifier)) return next(specifier, context);
  const parent = context.parentURL ?? "";
  if (OWN_URLS.has(parent) && !specifier.startsWith(ROOT_URL)) return next(specifier, context);
  const from = pathOf(parent) ?? "";
  const importer = files.has(from) ? from : entry;
  const isRequire = context.conditions.includes("require");
  if (/^(?:\.{0,2}\/|\.\.?$|file:)/.test(specifier)) {
    const wanted = pathOf(new URL(specifier, urlOf(importer)).href) ?? "";
    const path = findFile(wanted);
    if (path !== undefined) return found(path, isRequire, context);
    if (/^(?:\/|file:)/.test(specifier)) return next(specifier, context); // a file of the box
    throw notFound(
      `cannot find ${JSON.stringify(specifier)}, which ${importer} imports; the program has ${fileNames()}`,
    );
  }
  const path = findPackage(specifier, importer, context.conditions);
  if (path !== undefined) return found(path, isRequire, context);
  throw notFound(
    `cannot find the package ${JSON.stringify(specifier)}, which ${importer} imports. There are Node's own modules and ` +
      '"cloche"; packages must be brought along as files of the program, bundled or in node_modules/',
  );
}

function notFound(message) {
  return Object.assign(new Error(message), { code: "MODULE_NOT_FOUND" });
}

function fileNames() {
  const names = [...files.keys()];
  if (names.length === 0) return "no other files";
  const more = names.length > FILES_NAMED ? ` and ${names.length - FILES_NAMED} more` : "";
  return `the files ${names.slice(0, FILES_NAMED).join(", ")}${more}`;
}

function findFile(path) {
  const bare = path.replace(/\/$/, "");
  for (const ending of ENDINGS) if (files.has(bare + ending)) return bare + ending;
  const source = bare.replace(/\.([cm]?)js$/, ".$1ts");
  return files.has(source) ? source : undefined;
}

/** Node's rules for packages, as far as they are used: `exports` with conditions, `main`, index.js, and paths inside. */
function findPackage(specifier, importer, conditions) {
  const [, name = "", rest = ""] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
  for (let folder = importer; folder !== "";) {
    folder = folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "";
    const at = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    const manifest = files.get(`${at}/package.json`);
    const { exports, main, module: esm } = manifest === undefined ? {} : JSON.parse(manifest.text);
    const exported = chosen(exports, `.${rest}`, conditions);
    const inside = exported ?? (rest === "" ? (main ?? esm ?? "") : rest);
    const path = findFile(new URL(inside.replace(/^\//, ""), `${ROOT_URL}${at}/`).pathname.slice(1));
    if (path !== undefined) return path;
  }
  return undefined;
}

function chosen(exports, subpath, conditions) {
  const isMap = typeof exports === "object" && exports !== null && Object.keys(exports)[0]?.startsWith(".");
  let target = isMap ? exports[subpath] : subpath === "." ? exports : undefined;
  while (typeof target === "object" && target !== null) {
    const key = Object.keys(target).find((key) => key === "default" || conditions.includes(key));
    if (key === undefined) return undefined;
    target = target[key];
  }
  return typeof target === "string" ? target : undefined;
}

function found(path, isRequire, context) {
  const { format } = files.get(path) ?? {};
  // JSON may be imported with or without `with {type: "json"}`.
  const asJson = format === "json" && (isRequire || context.importAttributes?.type === "json");
  const kind = asJson
    ? "json"
    : format === "commonjs"
      ? "commonjs"
      : isRequire && format !== "module"
        ? "commonjs"
        : "module";
  return { url: urlOf(path), format: kind, shortCircuit: true };
}

function load(url, context, next) {
  if (url === NOTHING_URL) return { format: "module", source: "export {}", shortCircuit: true };
  if (url.startsWith(PROBE_URL)) return { format: "module", source: probe(url), shortCircuit: true };
  const path = pathOf(url);
  const file = path === undefined ? undefined : files.get(path);
  if (path === undefined || file === undefined || OWN_URLS.has(url)) return next(url, context);
  onLoad();
  return { format: context.format, source: sourceOf(path, file, context.format), shortCircuit: true };
}

function sourceOf(path, { text, format }, as) {
  if (format === "module" || format === "commonjs" || as === "json") return text;
  if (format === "json") {
    try {
      JSON.parse(text);
    } catch (error) {
      throw new SyntaxError(`${path} is not JSON: ${error.message}`, { cause: error });
    }
  }
  const value = format === "json" ? text : JSON.stringify(text);
  return as === "commonjs" ? `module.exports = ${value}` : `export default ${value}`;
}

/** The module of the main file. */
async function importEntry() {
  const file = files.get(entry);
  if (file?.format !== "commonjs") return await import(urlOf(entry));
  return requireEntry();
}

function requireEntry() {
  const { createRequire } = require("node:module");
  return createRequire("/")(`/${entry}`);
}

/** Imports the main file and then something that is not there: V8 compiles and links all, fails, and has run nothing. */
const probe = (url) =>
  `import ${JSON.stringify(decodeURIComponent(url.slice(PROBE_URL.length)))}; import {missing} from "${NOTHING_URL}";`;

/** Compiles and links the main file and all that it imports, without running any of it. @throws what is wrong */
async function checkModule() {
  try {
    await import(PROBE_URL + encodeURIComponent(urlOf(entry)));
  } catch (error) {
    if (error instanceof SyntaxError && error.message.includes(NOTHING_URL)) return;
    throw error;
  }
}

module.exports = { checkModule, importEntry, installLoader };
