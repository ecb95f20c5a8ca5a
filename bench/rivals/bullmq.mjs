// BullMQ alone, without a platform around it: what the same Redis and the same library give to code that is trusted.
//   node bullmq.mjs work SOCKET PREFIX CONCURRENCY EACH_MS      a worker; says "ready"
//   node bullmq.mjs add SOCKET PREFIX JOBS AT_ONCE              adds jobs, waits for their end, prints {acceptedMs, doneMs}
import { createNodeRedisClient, Queue, Worker } from "bullmq";
import { createClient } from "redis";

const NAME = "jobs";
const LOOK_MS = 20;
const [role, path, prefix, count, parameter] = process.argv.slice(2);

async function connect() {
  const client = createClient({ socket: { path, tls: false } });
  await client.connect();
  return createNodeRedisClient(client);
}

if (role === "work") {
  const eachMs = Number(parameter);
  const work = async () => {
    if (eachMs > 0) await new Promise((resolve) => setTimeout(resolve, eachMs));
    return { done: true };
  };
  const worker = new Worker(NAME, work, { connection: await connect(), prefix, concurrency: Number(count) });
  await worker.waitUntilReady();
  process.stdout.write("ready\n");
} else {
  const queue = new Queue(NAME, { connection: await connect(), prefix });
  await queue.waitUntilReady();
  const before = (await queue.getJobCounts("completed")).completed;
  const startedMs = performance.now();
  let left = Number(count);
  const add = async () => {
    while (left-- > 0) await queue.add("job", { input: {} }, { attempts: 3 });
  };
  await Promise.all(Array.from({ length: Number(parameter) }, add));
  const acceptedMs = performance.now() - startedMs;
  while ((await queue.getJobCounts("completed")).completed < before + Number(count))
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  process.stdout.write(JSON.stringify({ acceptedMs, doneMs: performance.now() - startedMs }));
  process.exit();
}
