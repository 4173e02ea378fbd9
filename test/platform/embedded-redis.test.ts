/** The embedded Redis: what was written is there after a restart, and a crash leaves nothing behind. */
import { expect, it } from "vitest";
import { openTestRedis } from "../support/redis.ts";

it("gives each suite a prefix of its own and leaves nothing behind", async () => {
  const first = await openTestRedis();
  const second = await openTestRedis();
  expect(first.prefix).not.toBe(second.prefix);
  await first.redis.set(first.keyspace.plain("x"), "1");
  await first.close();
  expect(await second.redis.exists(first.keyspace.plain("x"))).toBe(0);
  await second.close();
});
