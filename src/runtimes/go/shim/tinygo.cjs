"use strict";
// TinyGo, where the host has it, makes the WebAssembly modules of programs: they are smaller than Go's. It knows less of Go and of the
// standard library, and takes only those versions of Go that it was made for; what it cannot compile is Go's to compile.
const { spawn } = require("node:child_process");
const { existsSync, readFileSync, rmSync } = require("node:fs");
const { PLACES } = require("./go.cjs");
const { cleaned, firstLine } = require("./output.cjs");

const ROOT = "/rt/tinygo"; // where it also finds its own wasm-opt
const PROGRAM = `${ROOT}/bin/tinygo`;
const CACHE = "/tmp/tinygo";
/** Not "….wasm": by that ending alone, versions before 0.36 compile for browsers, whatever they are told otherwise. */
const OUT = `${PLACES.out}/tiny`;
/** Of the time that is left: Go must have enough of it, too. */
const TIME_SHARE = 0.5;
const MAX_OUTPUT_CHARS = 262_144;
const WASI = "wasi_snapshot_preview1";

const hasTinyGo = () => existsSync(PROGRAM);

/**
 * Compiles `what` for WASI. The target is not named: GOOS and GOARCH say it, as for Go, which every version knows that takes Go 1.21 or newer
 * (0.29). `-target=wasip1` came with 0.32, and is what `-target=wasi` means since then.
 *
 * @param timeoutMs of the whole build, since this process began
 * @returns {Promise<{ok: true, out: string} | {ok: false, reason: string}>} `out` is the module's path, `reason` one line for people
 */
async function runTinyGo(what, { cwd, env }, timeoutMs) {
  const limitMs = Math.max(1, Math.floor((timeoutMs - performance.now()) * TIME_SHARE));
  const own = { PATH: `${ROOT}/bin:${env.PATH}`, TINYGOROOT: ROOT, XDG_CACHE_HOME: CACHE };
  const args = ["build", "-no-debug", "-o", OUT, what];
  const { ended, output } = await runGroup(PROGRAM, args, { cwd, env: { ...env, ...own } }, limitMs);
  const said = output.replaceAll(ROOT, "TINYGOROOT").replaceAll(CACHE, "cache:");
  const reason = ended === "well" ? whyNoUse() : output.trim() === "" ? ended : firstLine(cleaned(said, cwd));
  rmSync(CACHE, { recursive: true, force: true }); // it counts as the build's memory
  return reason === undefined ? { ok: true, out: OUT } : { ok: false, reason };
}

/** Runs a program with all that it starts, for so long; `ended` says how, in words where that was not `well`. */
function runGroup(program, args, options, limitMs) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let output = "";
    let late = "";
    const timer = setTimeout(() => {
      late = `it took longer than ${(limitMs / 1000).toFixed(0)} s`;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, limitMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        if (output.length < MAX_OUTPUT_CHARS) output += text;
      });
    }
    const end = (ended) => {
      clearTimeout(timer);
      resolve(late === "" ? { ended, output } : { ended: late, output: "" });
    };
    child.on("error", (error) => end(`it does not start: ${error.code}`));
    child.on("close", (code, signal) => end(code === 0 ? "well" : `it ended with ${signal ?? code}`));
  });
}

/** A module for browsers would be refused only when it is called. */
function whyNoUse() {
  try {
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(OUT)));
    const foreign = imports.find(({ module }) => module !== WASI);
    return foreign && `its module needs ${foreign.module}.${foreign.name}, which is not of WASI preview 1`;
  } catch (error) {
    return `its module is of no use: ${error.message}`.replaceAll(OUT, "the file");
  }
}

module.exports = { hasTinyGo, runTinyGo };
