// A few of what `npm run test:faults` tries many times: servers and Redis are killed, and nothing that was accepted is lost.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FAULTS } from "../faults/all.ts";
import { Cluster } from "../faults/cluster.ts";
import { deploy, read } from "../faults/requests.ts";
import { soon } from "../faults/soon.ts";

const SOME: ReadonlySet<string> = new Set([
  "sqlite-kill",
  "node-kill",
  "redis-kill",
  "rolling-restart",
  "uploads-sqlite",
]);
const NODES = 2; // which start sooner than three
/** Long enough to stop Redis before it is over. */
const SLOW = `
  export const handler = async () => {
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    return "done";
  };
`;

suite("nothing is lost or done twice unseen:", () => {
  for (const { id, run } of FAULTS.filter((fault) => SOME.has(fault.id))) {
    test(id, async () => {
      const { accepted, lost, doubled } = await run(1, NODES);

      assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] });
      assert.ok(accepted >= 5, `only ${accepted} were accepted`);
    });
  }
});

suite("a job of one attempt", () => {
  test("that ends while Redis does not answer is done once, and its end is told when Redis is back", async (t) => {
    const cluster = await Cluster.start({
      nodes: 1,
      store: "redis",
      settings: { JOBS_LEASE_SECONDS: "30", REDIS_TIMEOUT_SECONDS: "1" },
    });
    t.after(() => cluster.dispose());
    await deploy(cluster.url, { name: "slow", language: "javascript", code: SLOW });
    const response = await fetch(`${cluster.url}/api/functions/slow/invocations`, {
      ...{ method: "POST", headers: { prefer: "respond-async", "content-type": "application/json" } },
      body: JSON.stringify({ attempts: 1 }),
    });
    const { jobId } = (await response.json()) as { readonly jobId: string };
    const { server } = cluster.node(0);
    // Its code, not only its claim: a claim whose answer does not come is handed back.
    await soon("it runs", async () => {
      const { workers } = (await server.system()).pool;
      return workers.some(({ state }) => state === "busy") ? true : undefined;
    });

    cluster.redis.freeze();
    await soon("telling of its end has failed", async () =>
      server.stderr.includes(`job ${jobId} has run, which the queue cannot be told yet`) ? true : undefined,
    );
    cluster.redis.resume();

    const job = await soon("it is over", async () => {
      const seen = await read(cluster.url, `/api/jobs/${jobId}`);
      return seen["status"] === "running" ? undefined : seen;
    });
    const { status, result, attemptsMade } = job;
    assert.deepEqual({ status, result, attemptsMade }, { status: "completed", result: "done", attemptsMade: 1 });
  });
});
