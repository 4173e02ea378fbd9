/** What an older version has notified of does not ring again, though its notes cannot be read any more. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  batchCompleted,
  envelopeOf,
  openIntakeScene,
  recordOf,
  type IntakeScene,
} from "./intake-scene.ts";

let scene: IntakeScene;

beforeAll(async () => {
  scene = await openIntakeScene();
});
afterAll(() => scene.close());

it("an event that comes again after an upgrade is a repetition", async () => {
  const { redis, keyspace } = scene.store;
  const data = batchCompleted({ teacher_id: randomUUID(), correlation_id: randomUUID() });
  const event = envelopeOf(data, { event_id: randomUUID() });
  const take = () => scene.take([recordOf(event, { timestamp: scene.clock.now() })]);
  const [first] = await take();
  if (first?.kind !== "accepted") throw new Error("it was not accepted");
  const id = first.notificationId;
  const key = (name: string): string => keyspace.sharded(keyspace.shardOfNote(id) ?? 0, name);
  // As version 1.1 left it: settled, and in a hash.
  await redis.del(key(`rec:${id}`));
  await redis.zrem(key("due"), id);
  await redis.hset(key(`note:${id}`), { facts: "", state: "" });
  expect(await take()).toEqual([{ kind: "repeated", notificationId: id }]);
  expect(await redis.exists(key(`rec:${id}`))).toBe(0);
  expect(await redis.zscore(key("due"), id)).toBeNull();
});
