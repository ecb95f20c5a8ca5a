"use strict";
// The shared cache holds the compiled standard library and is read-only in every box. A build has a cache of its own over it, made of
// links: what it compiles itself stays in its own /tmp and goes with it, so no build can give another one anything.
const { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } = require("node:fs");
const { BuildError } = require("./build-error.cjs");
const { environmentFor, PLACES, runGo, TARGETS } = require("./go.cjs");
const { cleaned } = require("./output.cjs");

const SHARED = "/go-cache";
const PART = /^[0-9a-f]{2}$/;
const ENTRY = /^[0-9a-f]{64}-[ad]$/;
const FRAME_BYTES = 4_194_304;

/** Links cost 8 µs each; 4,000 of them are there. */
function layCache() {
  mkdirSync(PLACES.cache, { recursive: true });
  // Go looks once a day for entries to throw away, and follows this file's word for when it last did.
  writeFileSync(`${PLACES.cache}/trim.txt`, String(Math.floor(Date.now() / 1000)));
  if (!existsSync(SHARED)) return;
  for (const part of readdirSync(SHARED).filter((name) => PART.test(name))) {
    mkdirSync(`${PLACES.cache}/${part}`);
    for (const name of readdirSync(`${SHARED}/${part}`)) {
      if (ENTRY.test(name)) symlinkSync(`${SHARED}/${part}/${name}`, `${PLACES.cache}/${part}/${name}`);
    }
  }
}

/** Compiles the standard library for one target and sends what that left in the cache: entries of nobody's code but Go's. */
async function prime({ target, cpus }, send) {
  mkdirSync(PLACES.root, { recursive: true });
  mkdirSync(PLACES.cache, { recursive: true });
  const env = { ...environmentFor({ cpus }), ...TARGETS[target] };
  const { ok, stderr } = await runGo(["build", "std"], { cwd: PLACES.root, env });
  if (!ok)
    throw new BuildError({ message: "the standard library does not compile", output: cleaned(stderr, PLACES.root) });
  let entries = [];
  let bodies = [];
  let bytes = 0;
  const flush = async () => {
    await send({ t: "entries", entries }, bodies);
    [entries, bodies, bytes] = [[], [], 0];
  };
  for (const part of readdirSync(PLACES.cache).filter((name) => PART.test(name))) {
    for (const name of readdirSync(`${PLACES.cache}/${part}`).filter((entry) => ENTRY.test(entry))) {
      const body = readFileSync(`${PLACES.cache}/${part}/${name}`);
      entries.push({ name, bytes: body.length });
      bodies.push(body);
      bytes += body.length;
      if (bytes > FRAME_BYTES) await flush();
    }
  }
  await flush();
  await send({ t: "primed" });
}

module.exports = { layCache, prime };
