import { after } from "node:test";
import { storeContract } from "../store.contract.ts";
import { openRedisStore } from "./redis-store.ts";
import { RedisUnderTest } from "./redis-under-test.fixture.ts";

const redis = await RedisUnderTest.start();
after(() => redis.dispose());
let stores = 0;

storeContract(async ({ keepExecutions }) => {
  const settings = redis.settings({ prefix: `test-${++stores}:` }); // each is as good as empty
  return (await openRedisStore({ settings, keepExecutions })).store;
});
