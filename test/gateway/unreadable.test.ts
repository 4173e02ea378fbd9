/** Messages that were sealed with a key that is gone: the client is told that it lacks them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSealing } from "../../src/platform/sealing.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createTestPublisher, type TestPublisher } from "./publisher.ts";
import { startTestNode } from "./test-node.ts";

const USER = "anna";
const clock = createManualClock();
let store: TestRedis;
let publisher: TestPublisher;

beforeAll(async () => {
  store = await openTestRedis();
  publisher = await createTestPublisher({ ...store, clock });
});
afterAll(async () => {
  publisher.close();
  await store.close();
});

describe("what was sealed with a key that is gone", () => {
  const fill = async (user: string, sealed: readonly string[]): Promise<void> => {
    const shard = store.keyspace.shardOfUser(user);
    const place = (id: number): string => `${id} e1 ${store.keyspace.newNoteId(user)} `;
    for (const [index, text] of sealed.entries()) {
      await store.redis.lpush(
        store.keyspace.sharded(shard, `hist:${user}`),
        text,
        place(index + 1),
      );
    }
    await store.redis.hset(store.keyspace.sharded(shard, `meta:${user}`), {
      epoch: "e1",
      base: 0,
      last: sealed.length,
    });
  };
  const seal = (byte: number): string =>
    createSealing(Buffer.alloc(32, byte)).seal('{"type":"t","notification_id":"n"}');

  it("is no silent hole: a gap comes before what can be read again", async () => {
    const reader = await startTestNode({
      ...store,
      clock,
      nodeId: "rotated",
      sealingKey: Buffer.alloc(32, 7),
    });
    await fill(USER, [seal(7), seal(6), seal(6), seal(7), seal(6)]);
    const client = await reader.connect(USER, { replayFrom: "0", epoch: "e1" });
    await client.next("connected");
    expect(await client.next()).toMatchObject({ replay_id: "1" });
    expect(await client.next()).toEqual({
      type: "replay_gap",
      reason: "trimmed",
      oldest_replay_id: "4",
      epoch: "e1",
    });
    expect(await client.next()).toMatchObject({ replay_id: "4" });
    // A live message as well, behind one that was the last of the replay.
    await publisher.publish(USER);
    expect(await client.next()).toMatchObject({ type: "replay_gap", oldest_replay_id: "6" });
    expect(await client.next()).toMatchObject({ replay_id: "6" });
    await client.close();
    await reader.stop();
  });
});
