// What the attack of one function costs all others: shares of the CPU, processes, and the time of a call next door.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { type AttackedServer, startAttacked } from "./attacked-server.ts";
import { dedent, python } from "./attacker.ts";

const CALLS = 300;
const TRIES = 5;
/** Below it a ratio says more about the machine's other work than about us. */
const SHORTEST_MS = 1;

suite("a neighbour", () => {
  let server: AttackedServer;
  before(async () => {
    const settings = { TIMEOUT_SCRIPT: "3", MAX_CONTAINERS: "8", MAX_MEMORY: "64M", MAX_CPUS: "0.5" };
    server = await startAttacked(settings);
    await server.upload("neighbour", "javascript", "return event.n");
  });
  after(() => server.dispose());
  afterEach(async () => {
    await server.settled();
  });

  /** The middle one: the slowest tell more about a shared machine than about us, so they are held to a limit in bench/neighbours.ts. */
  async function usualMs(): Promise<number> {
    const timesMs: number[] = [];
    for (let n = 0; n < CALLS; n++) {
      const startedMs = performance.now();
      const answer = await server.run("neighbour", { n });
      timesMs.push(performance.now() - startedMs);
      assert.deepEqual(answer.json, { data: n, type: "number" });
    }
    return timesMs.toSorted((a, b) => a - b)[CALLS / 2] ?? Infinity;
  }

  const ATTACKS: readonly (readonly [what: string, code: string])[] = [
    ["a CPU hog", "while True: pass"],
    ["a fork bomb", "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"],
    ["memory bombs, one after the other", "kept = []\nwhile True: kept.append(bytearray(1 << 20))"],
  ];
  for (const [what, code] of ATTACKS) {
    test(`TEN-07: beside ${what}, a call takes at most twice as long`, async () => {
      const ratios: number[] = [];
      while (ratios.length < TRIES && (ratios.at(-1) ?? Infinity) > 2) {
        await server.settled();
        await usualMs(); // warm
        const quietMs = Math.max(await usualMs(), SHORTEST_MS);
        const calls = { over: false };
        const attack = (async () => {
          while (!calls.over) await server.runNow({ language: "python", code });
        })();
        while ((await server.system()).pool.workers.every(({ state }) => state !== "busy"));
        ratios.push((await usualMs()) / quietMs);
        calls.over = true;
        await attack;
      }
      assert.ok((ratios.at(-1) ?? Infinity) <= 2, `times ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")}`);
    });
  }

  test("RES-09, HST-04: four busy processes get the share of one box, within a tenth", async () => {
    const code = `
      import os, time
      started = time.monotonic()
      for child in range(3):
          if os.fork() == 0:
              while time.monotonic() < started + 1.5: pass
              os._exit(0)
      while time.monotonic() < started + 1.5: pass
      for child in range(3): os.wait()
      used = os.times()
      return (used.user + used.system + used.children_user + used.children_system) / (time.monotonic() - started)
      `;
    const share = Number(await python(server, code));
    assert.ok(share < 0.5 * 1.1, `${share} of a core, 0.5 allowed`);
  });

  test("RES-01, HST-04: a function may have 64 processes, and no process more", async () => {
    const code = dedent(`
      import errno, os, time
      count = 0
      try:
          while count < 500:
              if os.fork() == 0: time.sleep(60)
              count += 1
      except OSError as error:
          return [count, errno.errorcode[error.errno]]
      `);
    const [count, error] = (await python(server, code)) as [number, string];
    assert.equal(error, "EAGAIN");
    assert.ok(count >= 40 && count < 64, `${count} children`);
  });
});
