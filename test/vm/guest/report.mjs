// A reporter for Node's test runner: one line of JSON for each test, for the host to read at the other end of the serial port.
import { inspect } from "node:util";

/** @returns lines `{ name, result: "passed" | "failed" | "skipped", seconds, error? }`, and `{ done: true }` at the end */
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const failed = type === "test:fail";
    // A file or a suite is no test of its own, unless it failed where no test of it did.
    const isWhole = data.details.type === "suite" || data.name.startsWith("/");
    if (isWhole && !(failed && data.details.error.failureType !== "subtestsFailed")) continue;
    yield line({
      name: data.name,
      result: failed ? "failed" : data.skip === undefined ? "passed" : "skipped",
      seconds: Math.round(data.details.duration_ms / 100) / 10,
      ...(failed ? { error: textOf(data.details.error) } : {}),
    });
  }
  yield line({ done: true });
}

function textOf(error) {
  return inspect(error.cause ?? error, { depth: 3 });
}

function line(value) {
  return `${JSON.stringify(value)}\n`;
}
