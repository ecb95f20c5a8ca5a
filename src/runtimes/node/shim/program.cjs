// @ts-check
"use strict";
// Compiles the bound code once and calls it once per run, in the main realm: a context of its own for each run would make
// `[] instanceof Array` false for values of ours and cost 0.6 ms.
const vm = require("node:vm");
const { describeSyntaxError } = require("./failure.cjs");

const AsyncFunction = (async () => {}).constructor;

// The inner function makes `const input = …` legal in the code; the outer one holds the names that it may shadow.
const BEFORE = "(function(event,input,require,ctx,context,$cloche){return async function(){";
const AFTER = "\n}})";

/**
 * @param {string} code
 * @param {string} file
 * @param {(name: string) => unknown} require
 * @param {unknown} cloche what `import … from "cloche"` gives, where the code has that
 * @returns {{ start: (input: unknown, context: unknown) => Promise<unknown> } | { failure: { name: string, message: string, stack: string } }}
 */
function compile(code, file, require, cloche) {
  try {
    const script = new vm.Script(BEFORE + code + AFTER, {
      filename: file,
      columnOffset: -BEFORE.length, // so that columns of the first line are the user's, too
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    // Refuses code such as `}}); (function(){…` that closes our wrapper: V8 checks here that it is one function's body.
    void new AsyncFunction(code);
    const bind = script.runInThisContext();
    return { start: (input, context) => bind(input, input, require, context, context, cloche)() };
  } catch (error) {
    return { failure: describeSyntaxError(error, BEFORE) };
  }
}

module.exports = { compile };
