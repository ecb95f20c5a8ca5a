// What a call leaves behind must be young when it dies. One object of it that V8 makes in the old generation holds on to all the
// others until the next full collection, and collections of 1 ms become such of 20. V8 does so with a function that is assigned
// to a property where it is written: `run.stop = () => ...`.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ServerUnderTest } from "../server-under-test.ts";

/** Code that is not optimized is where V8 decides most often that an object is to be old: all code is so for a while. */
const FLAGS = "--trace-gc-nvp --no-opt --no-maglev";
const WARM_UP_CALLS = 500;
const CALLS = 2_000;
const MOST_PROMOTED_SHARE = 0.05; // one closure in the old generation makes it 0.14 and more

let server: ServerUnderTest;
before(async () => {
  const withFlags = ["sh", "-c", `exec "$1" ${FLAGS} "$2"`, "sh"];
  server = new ServerUnderTest(mkdtempSync(join(tmpdir(), "cloche-test-")), {}, withFlags);
  await server.started;
  await server.upload("script", "javascript", "return { hello: input.name };");
  await server.upload("handler", "javascript", "export const handler = (event) => ({ hello: event.path });");
});
after(() => server.dispose());

interface Scavenged {
  allocated: number;
  promoted: number;
}

/** Bytes by isolate, of all collections of the young generation that were printed from `from` on. */
function scavenged(from: number): Scavenged {
  const isolates = new Map<string, Scavenged>();
  for (const line of server.stdout.slice(from).split("\n")) {
    const isolate = /^\[\d+:(0x[\da-f]+)/.exec(line)?.[1];
    if (isolate === undefined || !line.includes(" gc=s ")) continue;
    const sum = isolates.get(isolate) ?? { allocated: 0, promoted: 0 };
    sum.allocated += Number(/ allocated=(\d+)/.exec(line)?.[1]);
    sum.promoted += Number(/ promoted=(\d+)/.exec(line)?.[1]);
    isolates.set(isolate, sum);
  }
  const busiest = [...isolates.values()].toSorted((one, other) => other.allocated - one.allocated)[0];
  assert.ok(busiest !== undefined && busiest.allocated > 5_000_000, "the server's own isolate was collected");
  return busiest;
}

for (const [what, path, body] of [
  ["a script", "/run/script", '{"input":{"name":"world"}}'],
  ["a handler", "/fn/handler", '{"name":"world"}'],
] as const) {
  test(`a call of ${what} leaves nothing in the old generation`, async () => {
    const call = async (): Promise<void> => {
      const response = await server.post(path, body);
      assert.equal(response.status, 200, await response.text());
    };
    for (let n = 0; n < WARM_UP_CALLS; n++) await call();
    const from = server.stdout.length;
    for (let n = 0; n < CALLS; n++) await call();
    const { allocated, promoted } = scavenged(from);
    assert.ok(promoted / allocated < MOST_PROMOTED_SHARE, `${promoted} of ${allocated} bytes became old`);
  });
}
