"use strict";
// Why a build failed, for its caller; and which limit of the box was the cause, where one was.

/** What the kernel says, in Go's words and Node's -> the limit behind it. */
const SIGNS = [
  ["disk", /no space left on device|ENOSPC/],
  ["file", /file too large|file size limit exceeded|EFBIG/],
  ["processes", /resource temporarily unavailable|failed to create new OS thread|EAGAIN/],
  ["memory", /: signal: killed|fatal error: (?:runtime: )?(?:out of memory|cannot allocate memory)|ENOMEM/],
];

class BuildError extends Error {
  /** @param facts `message` for people, one line; `output` of the compiler; `files`: {file, line, column, message} */
  constructor({ message, output = "", files = [] }) {
    super(message);
    const said = `${message}\n${output}`;
    const limit = SIGNS.find(([, sign]) => sign.test(said))?.[0];
    this.facts = { message, output, files, ...(limit === undefined ? {} : { limit }) };
  }

  static from(error) {
    return error instanceof BuildError ? error : new BuildError({ message: String(error?.message ?? error) });
  }
}

module.exports = { BuildError };
