"use strict";
const { mkdirSync, readFileSync, statSync } = require("node:fs");
const paths = require("node:path");
const { BuildError } = require("./build-error.cjs");
const { layCache } = require("./cache.cjs");
const { forwardToGate } = require("./forward.cjs");
const { environmentFor, FLAGS, PLACES, runGo, TARGETS } = require("./go.cjs");
const { prepareModule } = require("./module.cjs");
const { layModules } = require("./modules.cjs");
const { cleaned, firstLine, reportsIn } = require("./output.cjs");
const { preparePackage } = require("./package.cjs");
const { writeSources } = require("./sources.cjs");
const { hasTinyGo, runTinyGo } = require("./tinygo.cjs");

const NO_SYMBOLS = "-ldflags=-s -w";

/**
 * Builds the package in `request.folder` for each of `request.targets`.
 *
 * @returns {Promise<{style: string, artifacts: {mode: string, bytes: Buffer}[], warnings: string[]}>} a warning stands for a target that could
 *   not be built while another one could, or that TinyGo could not compile and Go did
 */
async function build(request, body) {
  const { files, folder, targets, goVersion, proxy, maxArtifactBytes } = request;
  writeSources(files, body);
  layCache();
  mkdirSync(PLACES.out);
  const port = proxy === "off" ? undefined : await forwardToGate();
  const base = environmentFor({ ...request, proxy: layModules(request.modules, proxy) }, port);
  const cwd = paths.join(PLACES.root, folder);
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new BuildError({ message: `there is no folder ${JSON.stringify(folder)} among the uploaded files` });
  }
  const module = await prepareModule(cwd, goVersion, base);
  const env = { ...base, GOFLAGS: [...FLAGS, module.isVendored ? "-mod=vendor" : "-mod=mod"].join(" ") };
  const { style, build: what } = await preparePackage(cwd, env);
  const artifacts = [];
  const warnings = [];
  let firstError;
  for (const mode of targets) {
    if (style === "handler" && mode === "wasm") {
      const message = "a handler is built for native only: WebAssembly has no sockets to serve from";
      if (targets.length === 1) throw new BuildError({ message });
      continue;
    }
    const at = { cwd, env: { ...env, ...TARGETS[mode] } };
    const tiny = mode === "wasm" && hasTinyGo() ? await runTinyGo(what, at, request.timeoutMs) : undefined;
    if (tiny?.ok) {
      artifacts.push({ mode, bytes: artifact(tiny.out, mode, maxArtifactBytes) });
      continue;
    }
    const out = paths.join(PLACES.out, mode);
    const { ok, stdout, stderr } = await runGo(["build", NO_SYMBOLS, "-o", out, what], at);
    if (ok) {
      artifacts.push({ mode, bytes: artifact(out, mode, maxArtifactBytes) });
      if (tiny !== undefined) warnings.push(`wasm: Go compiled it, as TinyGo could not: ${tiny.reason}`);
    } else {
      const error = failure(stdout + stderr, cwd, proxy);
      if (error.facts.limit !== undefined) throw error;
      firstError ??= error;
      warnings.push(`${mode}: ${error.message}`);
    }
  }
  if (artifacts.length === 0) throw firstError;
  return { style, artifacts, warnings };
}

function artifact(path, mode, maxBytes) {
  const { size } = statSync(path);
  if (size <= maxBytes) return readFileSync(path);
  throw new BuildError({ message: `the ${mode} program has ${size} bytes; ${maxBytes} are allowed` });
}

function failure(text, cwd, proxy) {
  const output = cleaned(text, cwd);
  const files = reportsIn(
    output,
    (file) => statSync(paths.join(PLACES.root, file), { throwIfNoEntry: false })?.isFile() === true,
  );
  const ours = /cloche_handler\d*(?:\/main)?\.go:\d+:\d+: cannot .*Handler/.exec(output);
  if (ours !== null) {
    const where = paths.relative(PLACES.root, cwd) || "the root";
    return new BuildError({
      message: `Handler in ${where} must be func Handler(w http.ResponseWriter, r *http.Request)`,
    });
  }
  const needsModules = /module lookup disabled by GOPROXY=off|cannot query module due to -mod=vendor/.test(output);
  const advice =
    needsModules && proxy === "off"
      ? "; modules cannot be fetched here (GOPROXY, EGRESS): upload them in vendor/ (`go mod vendor`)"
      : "";
  return new BuildError({ message: firstLine(output) + advice, output, files });
}

module.exports = { build };
