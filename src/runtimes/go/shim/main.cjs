"use strict";
// The first process of a build box. It gets one message, does what it says, answers, and ends; with it ends the box.
const { Socket } = require("node:net");
const { build } = require("./build.cjs");
const { BuildError } = require("./build-error.cjs");
const { prime } = require("./cache.cjs");
const { receive, send } = require("./frames.cjs");

const CONTROL_FD = 3;

async function main() {
  const control = new Socket({ fd: CONTROL_FD, readable: true, writable: true });
  const { header, body } = await receive(control);
  try {
    if (header.t === "prime") await prime(header, (message, bodies) => send(control, message, bodies));
    else {
      const { artifacts, ...built } = await build(header, body);
      const sizes = artifacts.map(({ mode, bytes }) => ({ mode, bytes: bytes.length }));
      await send(
        control,
        { t: "built", ...built, artifacts: sizes },
        artifacts.map(({ bytes }) => bytes),
      );
    }
  } catch (error) {
    await send(control, { t: "failed", ...BuildError.from(error).facts });
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error?.stack}\n`);
    process.exit(1);
  },
);
