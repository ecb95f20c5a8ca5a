// @ts-check
"use strict";
// V8 compiles functions when they are first called. Those that the first run of every script needs are called before the worker is ready:
// whoever sends new code waits 1.3 ms less for it.
const { compile } = require("./program.cjs");
const { openResources, quietCheck } = require("./quiet.cjs");
const { toJson } = require("./result.cjs");

const CODE = "return { rehearsed: input };";

async function rehearse() {
  const compiled = compile(CODE, "rehearsal.js", () => undefined, undefined);
  if ("start" in compiled) toJson(await compiled.start(JSON.parse('"text"'), undefined));
  quietCheck(CODE).check();
  openResources();
}

module.exports = { rehearse };
