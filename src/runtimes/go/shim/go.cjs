"use strict";
// Runs the go command in an environment in which nothing but its arguments and the sources decide.
const { spawn } = require("node:child_process");
const { mkdirSync, writeFileSync } = require("node:fs");

const GO = "/rt/go/bin/go";
const PLACES = {
  root: "/tmp/src",
  modules: "/tmp/modules",
  cache: "/tmp/cache",
  out: "/tmp/out",
  config: "/tmp/config",
};
const MAX_OUTPUT_CHARS = 262_144;

/** Flags of every build, and part of the key of the shared cache: what was compiled with others is compiled anew. */
const FLAGS = ["-trimpath", "-buildvcs=false"];

/** The environment of the go command; `request` says what differs from build to build. */
function environmentFor({ cpus, proxy = "off", sumDb = "off" }, proxyPort) {
  mkdirSync(`${PLACES.config}/go/telemetry`, { recursive: true });
  writeFileSync(`${PLACES.config}/go/telemetry/mode`, "off"); // it would start a process of its own, and write in a rhythm of days
  return {
    ...{ PATH: "/rt/go/bin", HOME: "/tmp", TMPDIR: "/tmp", XDG_CONFIG_HOME: PLACES.config, LANG: "C.UTF-8" },
    ...{ GOROOT: "/rt/go", GOPATH: "/tmp/gopath", GOMODCACHE: PLACES.modules, GOCACHE: PLACES.cache },
    GOMAXPROCS: String(Math.max(1, Math.ceil(cpus))), // the machine has more cores than the box
    GOENV: "off", // a file of settings could bring -toolexec: a program to run for every compilation
    GOWORK: "off",
    GOTOOLCHAIN: "local", // go.mod could name another toolchain to download and run
    GO111MODULE: "on",
    CGO_ENABLED: "0", // #cgo directives are flags for a C compiler
    GOFLAGS: FLAGS.join(" "),
    GOVCS: "*:off", // no git, no hg
    GOPROXY: proxy,
    GOSUMDB: sumDb,
    ...(proxyPort === undefined ? {} : { HTTPS_PROXY: `http://127.0.0.1:${proxyPort}` }),
    ...(process.env.SSL_CERT_FILE === undefined ? {} : { SSL_CERT_FILE: process.env.SSL_CERT_FILE }),
  };
}

/** Where a target's programs run. */
const TARGETS = { native: {}, wasm: { GOOS: "wasip1", GOARCH: "wasm" } };

/** @returns what it printed, and how it ended; never rejects for a command that fails */
function runGo(args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(GO, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (text) => {
        if (texts[name].length < MAX_OUTPUT_CHARS) texts[name] += text;
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        ok: code === 0,
        stdout: texts.stdout,
        stderr: signal === null ? texts.stderr : `go: signal: ${signal}`,
      }),
    );
  });
}

module.exports = { environmentFor, FLAGS, PLACES, runGo, TARGETS };
