// The samples for nginx and HAProxy, really run: deploy/nginx, deploy/haproxy.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { RedisUnderTest } from "../../src/store/redis/redis-under-test.fixture.ts";
import { type Answered, BalancedServers, type BalancerName, PROGRAMS } from "./balancer-under-test.ts";

const NAMES = Array.from({ length: 16 }, (_, n) => `function-${n}`);
const LIMIT_MS = 60_000;

suite("the samples for load balancers", () => {
  let redis: RedisUnderTest;
  before(async () => {
    redis = await RedisUnderTest.start();
  });
  after(() => redis.dispose());

  for (const name of ["nginx", "haproxy"] satisfies BalancerName[]) {
    const skip = existsSync(PROGRAMS[name])
      ? false
      : `${PROGRAMS[name]} is not installed: node scripts/setup.mjs --dev`;
    suite(name, { skip }, () => callsThrough(name, () => redis));
  }
});

function callsThrough(name: BalancerName, redis: () => RedisUnderTest): void {
  let balanced: BalancedServers;
  let versions: readonly number[];
  before(async () => {
    balanced = await BalancedServers.start(name, redis());
    versions = await balanced.deployFunctions(NAMES);
  });
  after(() => balanced.dispose());

  test("sends all calls of a function to one server, and another's to another", async () => {
    const homes = new Set<string>();
    for (const [at, called] of NAMES.entries()) {
      const answers: string[] = [];
      const fn = `/fn/${called}`;
      const doors = [`/run/${called}`, `/api/functions/${called}/invocations`];
      for (const path of [fn, `${fn}/below?n=1`, `${fn}@${versions[at]}`, ...doors, fn]) {
        const { status, text } = await untilKnown(() => balanced.call("POST", path, {}));
        assert.equal(status, 200, text);
        answers.push(/http:[\w.:/]+/.exec(text)?.[0] ?? text);
      }
      assert.equal(new Set(answers).size, 1, `${called}: ${answers.join()}`);
      homes.add(answers[0] ?? "");
    }
    assert.deepEqual([...homes].toSorted(), balanced.servers.map(({ url }) => url).toSorted());
  });

  test("lets every line of a stream through when it is printed", async () => {
    const code = "import time\nfor i in range(4):\n    print(i)\n    time.sleep(0.4)\nreturn 'done'";
    const body = JSON.stringify({ language: "python", code, stream: true });

    const response = await fetch(`${balanced.url}/run-now`, { method: "POST", body });
    const seen: { readonly text: string; readonly atMs: number }[] = [];
    for await (const chunk of response.body ?? []) {
      seen.push({ text: new TextDecoder().decode(chunk as Uint8Array), atMs: performance.now() });
    }
    const first = seen.find(({ text }) => text.includes('"data":"0"'));
    const last = seen.find(({ text }) => text.includes("done"));
    assert.ok(first !== undefined && last !== undefined, JSON.stringify(seen));
    assert.ok(last.atMs - first.atMs > 800, "the first line came long before the end");
  });

  test("goes on with the other server when one is killed", async () => {
    const home = await homeOf(balanced, "function-0");
    const other = 1 - home;

    await balanced.kill(home);
    for (let n = 0; n < 10; n++) {
      const { status, text } = await balanced.call("POST", "/fn/function-0", {});
      assert.deepEqual([status, text], [200, balanced.servers[other]?.url]);
    }
    await balanced.startServer(home);
    const giveUpAtMs = Date.now() + LIMIT_MS;
    while ((await homeOf(balanced, "function-0")) !== home) {
      assert.ok(Date.now() < giveUpAtMs, "the calls come back to where they belong");
      await delay(100);
    }
  });

  // The last one of these: what it takes out stays out.
  test("loses no request while a server is taken out", async () => {
    const called = NAMES.slice(0, 6);
    const home = await homeOf(balanced, "function-0");
    for (const each of called) await homeOf(balanced, each);

    const failures: Answered[] = [];
    const answeredBy = new Map<string, number>();
    const load = new AbortController();
    const callers = called.map(async (each) => {
      while (!load.signal.aborted) {
        const answer = await balanced.call("POST", `/fn/${each}`, { some: "body" });
        if (answer.status !== 200) failures.push(answer);
        answeredBy.set(answer.text, (answeredBy.get(answer.text) ?? 0) + 1);
        await delay(20); // the servers are to have a share of the machine, too
      }
    });
    const [gone = "", left = ""] = [balanced.servers[home]?.url, balanced.servers[1 - home]?.url];
    await until("it has calls", () => answeredBy.has(gone));
    await balanced.drain(home);
    const whenGone = new Map(answeredBy);
    const goesOn = (): boolean => (answeredBy.get(left) ?? 0) > (whenGone.get(left) ?? 0) + called.length;
    await until("the other goes on", goesOn);
    load.abort();
    await Promise.all(callers);

    assert.deepEqual(failures, []);
    assert.equal(answeredBy.get(gone), whenGone.get(gone));
  });
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const giveUpAtMs = Date.now() + LIMIT_MS;
  while (!isSo()) {
    assert.ok(Date.now() < giveUpAtMs, `${what} within ${LIMIT_MS} ms`);
    await delay(20);
  }
}

/** What is deployed at one server is in force at the other within milliseconds, not at once. */
async function untilKnown(call: () => Promise<Answered>): Promise<Answered> {
  const giveUpAtMs = Date.now() + LIMIT_MS;
  for (;;) {
    const answer = await call();
    if (answer.status !== 404 || Date.now() > giveUpAtMs) return answer;
    await delay(20);
  }
}

/** The place of the server that runs a function. */
async function homeOf(balanced: BalancedServers, name: string): Promise<number> {
  const { status, text } = await untilKnown(() => balanced.call("POST", `/fn/${name}`, {}));
  assert.equal(status, 200, text);
  return balanced.servers.findIndex(({ url }) => url === text);
}
