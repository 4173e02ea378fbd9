/** What stands in the ordered lists is counted, whichever partition and lane it is in. */
import { expect, it } from "vitest";
import { createListDepth } from "../../src/queue/list-depth.ts";
import { itemsKey } from "../../src/queue/ordered-list.ts";
import { openTestRedis } from "../support/redis.ts";

it("counts the notes of all lists", async () => {
  const store = await openTestRedis();
  const { redis, keyspace } = store;
  const depth = createListDepth(redis, keyspace);
  expect(await depth()).toBe(0);
  await redis.rpush(itemsKey(keyspace, "websocket-normal-0"), "a", "b");
  await redis.rpush(itemsKey(keyspace, "websocket-bulk-3"), "c");
  expect(await depth()).toBe(3);
  await store.close();
});
