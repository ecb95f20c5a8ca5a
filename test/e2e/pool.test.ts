// What callers and operators see of the pool: reuse, bounds, the line, and replacement of what died.
import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Answer, type ServerUnderTest, startServer } from "../server-under-test.ts";

const BASES = ["node", "python", "lua"];
const SOON_MS = 20_000;
/** Runs until it is let go. */
const HELD = `import { kv } from "cloche";
export const handler = async () => {
  while (!(await kv.get("go"))) await new Promise((resolve) => setTimeout(resolve, 20));
};`;

suite("the pool", () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await startServer({ MAX_CONTAINERS: "4", MAX_QUEUE: "2", QUEUE_TIMEOUT: "20", TIMEOUT_SCRIPT: "20" });
  });
  after(() => server.dispose());
  afterEach(async () => {
    await server.settled();
  });

  test("serves one version again and again from one warm worker", async () => {
    await server.upload("warm", "javascript", "return event.n");
    for (let n = 0; n < 20; n++) assert.deepEqual((await server.run("warm", { n })).json, { data: n, type: "number" });

    const { workers } = (await server.settled()).pool;
    const own = workers.filter(({ version }) => version?.startsWith("warm@") === true);
    assert.deepEqual(
      own.map(({ base, state, runs }) => ({ base, state, runs })),
      [{ base: "node", state: "warm", runs: 20 }],
    );
    assert.ok((own[0]?.memoryBytes ?? 0) > 1_000_000 && (own[0]?.ageMs ?? -1) >= 0);
  });

  test("serves the same ad-hoc code warm, and other code from another worker", async () => {
    const warm = { language: "python", code: "return 'same'" };
    await server.runNow(warm);
    await server.runNow(warm);
    const runsOfAdHoc = async (): Promise<number[]> =>
      (await server.settled()).pool.workers
        .filter(({ version }) => version?.startsWith("ad-hoc:"))
        .map(({ runs }) => runs);
    const before = await runsOfAdHoc();
    await server.runNow({ language: "python", code: "return 'other'" });
    const after = await runsOfAdHoc();

    assert.ok(before.includes(2), `the same code twice on one worker: ${before.join()}`);
    assert.ok(after.includes(1), `other code on a worker of its own: ${after.join()}`);
    const { workers } = (await server.system()).pool;
    assert.ok(workers.length <= 4);
  });

  test("keeps an idle worker of each base ready, in the room that there is by default", async (t) => {
    const roomy = await startServer();
    t.after(() => roomy.dispose());
    await roomy.runNow({ language: "python", code: "return 1" });
    const idle = async (): Promise<string[]> => {
      const { workers } = (await roomy.system()).pool;
      return BASES.filter((base) => workers.some((worker) => worker.base === base && worker.state === "idle"));
    };

    await until("an idle one of each", async () => (await idle()).length === BASES.length);
  });

  test("never has more sandboxes than the bound, lets a bounded line wait and refuses the rest", async () => {
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, server.boxes().length)), 5);
    const names = Array.from({ length: 10 }, (_, n) => `held-${n}`);
    for (const name of names) await server.upload(name, "javascript", `${HELD}// ${name}`);
    const answers: Promise<Answer>[] = [];
    let over = 0;
    const send = (name: string): void => {
      const answer = server.run(name);
      answers.push(answer);
      void answer.then(() => over++);
    };
    for (const name of names.slice(0, 4)) {
      send(name);
      await until("it is at work", async () => (await busyWorkers(server)) === answers.length);
    }
    for (const name of names.slice(4)) send(name);
    await until("four are refused", () => over === 4);
    for (const name of names) await letGo(server, name);
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    clearInterval(watching);

    assert.ok(most <= 4, `${most} sandboxes at once`);
    assert.deepEqual(statuses.slice(0, 4), [200, 200, 200, 200]);
    assert.deepEqual(
      statuses.slice(4).toSorted((a, b) => a - b),
      [200, 200, 503, 503, 503, 503],
    );
    const refused = await answers[statuses.indexOf(503)];
    assert.match(refused?.text ?? "", /^failed to run: 2 runs wait in line already \(setting MAX_QUEUE\)$/);
    assert.ok(Number(refused?.headers.get("retry-after")) >= 1);
  });

  test("runs slow calls of one version side by side", async () => {
    const noted = "const from = Date.now(); await new Promise((resolve) => setTimeout(resolve, 2000));";
    await server.upload("slow", "javascript", `${noted} return { from, to: Date.now() };`);
    const answers = await Promise.all([1, 2].map(() => server.run("slow")));
    const times = answers.map(
      ({ json }) => (json as { readonly data: { readonly from: number; readonly to: number } }).data,
    );

    assert.ok(
      Math.max(...times.map(({ from }) => from)) < Math.min(...times.map(({ to }) => to)),
      JSON.stringify(times),
    );
  });

  test("replaces a worker that was killed from outside", async () => {
    await server.upload("mortal", "python", "return 'alive'");
    assert.equal((await server.run("mortal")).status, 200);
    const before = await server.settled();
    for (const pid of server.boxPids()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Its init has taken it along.
      }
    }

    const killed = new Set(before.pool.workers.map(({ id }) => id));
    await until("they are missed", async () => !(await server.system()).pool.workers.some(({ id }) => killed.has(id)));
    assert.deepEqual((await server.run("mortal")).json, { data: "alive", type: "string" });
  });

  test("keeps its answers apart under concurrent callers of many scripts", async () => {
    const scripts = ["a", "b", "c", "d"].map((name) => [name, name < "c" ? "javascript" : "python"] as const);
    for (const [name, language] of scripts) {
      await server.upload(
        `mix/${name}`,
        language,
        language === "python" ? `return ['${name}', event['n']]` : `return ['${name}', event.n]`,
      );
    }
    for (let round = 0; round < 12; round++) {
      const calls = scripts.slice(0, 2 + (round % 3)).map(async ([name]) => {
        const answer = await server.run(`mix/${name}`, { n: round });
        if (answer.status !== 503) assert.deepEqual(answer.json, { data: [name, round], type: "json" });
      });
      await Promise.all(calls);
    }
  });
});

test("a run that waited too long is refused, and told for what", async () => {
  const server = await startServer({ MAX_CONTAINERS: "2", QUEUE_TIMEOUT: "1" });
  try {
    const busy: Promise<Answer>[] = [];
    for (const name of ["held-0", "held-1"]) {
      await server.upload(name, "javascript", `${HELD}// ${name}`);
      busy.push(server.run(name));
      await until("it is at work", async () => (await busyWorkers(server)) === busy.length);
    }
    const late = await server.runNow({ language: "javascript", code: "return 'late'" });

    assert.equal(late.status, 503);
    assert.match(late.text, /waited 1000 ms for a worker \(2 of 2 busy, setting MAX_CONTAINERS\)/);
    for (const name of ["held-0", "held-1"]) await letGo(server, name);
    assert.deepEqual(
      (await Promise.all(busy)).map(({ status }) => status),
      [200, 200],
    );
  } finally {
    await server.dispose();
  }
});

async function letGo(server: ServerUnderTest, name: string): Promise<void> {
  const body = JSON.stringify({ value: true });
  const response = await fetch(`${server.url}/api/functions/${name}/kv/go`, { method: "PUT", body });
  assert.ok(response.ok, await response.text());
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = Date.now() + SOON_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < giveUpAtMs, `${what} within ${SOON_MS} ms`);
    await delay(10);
  }
}

async function busyWorkers(server: ServerUnderTest): Promise<number> {
  return (await server.system()).pool.workers.filter(({ state }) => state === "busy").length;
}

test("a server with room for one sandbox serves every language in turn", async () => {
  const server = await startServer({ MAX_CONTAINERS: "1", QUEUE_TIMEOUT: "5" });
  try {
    for (let round = 0; round < 3; round++) {
      for (const language of ["python", "javascript"]) {
        const answer = await server.runNow({ language, code: `return ${round}` });
        assert.deepEqual(answer.json, { data: round, type: "number" }, answer.text);
        assert.ok(server.boxes().length <= 1);
      }
    }
  } finally {
    await server.dispose();
  }
});
