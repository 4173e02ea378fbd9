/** What a client gets when it connects: what it missed, in order, once, or word of a gap. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createTestPublisher, type TestPublisher } from "./publisher.ts";
import { eventually, startTestNode, type TestNode } from "./test-node.ts";

const clock = createManualClock();
let store: TestRedis;
let publisher: TestPublisher;
let node: TestNode;
let users = 0;
const newUser = (): string => `user-${(users += 1)}`;

beforeAll(async () => {
  store = await openTestRedis();
  publisher = await createTestPublisher({ ...store, clock });
  node = await startTestNode({ ...store, clock });
});
afterAll(async () => {
  await node.stop();
  publisher.close();
  await store.close();
});

async function publishMany(userId: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await publisher.publish(userId);
}

/** Publishes one more and waits for it, so that whatever came before it has arrived too. */
async function untilLive(userId: string, client: Awaited<ReturnType<TestNode["connect"]>>) {
  await eventually(() => client.frames.length).toBeGreaterThan(0);
  const { replayId } = await publisher.publish(userId);
  for (;;) {
    const frame = await client.nextNotification();
    if (frame["replay_id"] === replayId) return;
  }
}

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

describe("the first frame", () => {
  it("says where the history stands", async () => {
    const user = newUser();
    await publishMany(user, 3);
    const client = await node.connect(user, { replayFrom: "3" });
    expect(await client.next()).toMatchObject({
      type: "connected",
      epoch: "e1",
      replay_id: "3",
      heartbeat_interval_ms: 30_000,
      replay: "complete",
    });
    await client.close();
  });

  it("says that a new user has no history yet", async () => {
    const client = await node.connect(newUser());
    expect(await client.next()).toMatchObject({ epoch: null, replay_id: "0", replay: "none" });
    await client.close();
  });

  it("is the same on the other path", async () => {
    const client = await node.connect(newUser(), { path: "/ws/v1/notifications" });
    expect((await client.next()).type).toBe("connected");
    await client.close();
  });
});

describe("with replay_from", () => {
  it("sends only what is above it, in order, and then what is new", async () => {
    const user = newUser();
    await publishMany(user, 5);
    const client = await node.connect(user, { replayFrom: "2", epoch: "e1" });
    await untilLive(user, client);
    expect(client.replayIds()).toEqual(["3", "4", "5", "6"]);
    await client.close();
  });

  it("compares by number when no epoch is given", async () => {
    const user = newUser();
    await publishMany(user, 3);
    const client = await node.connect(user, { replayFrom: "1" });
    await untilLive(user, client);
    expect(client.replayIds()).toEqual(["2", "3", "4"]);
    await client.close();
  });

  it("tells of what is lost before it sends the 100 that are kept", async () => {
    const user = newUser();
    await publishMany(user, 151);
    const client = await node.connect(user, { replayFrom: "0", epoch: "e1" });
    await untilLive(user, client);
    expect(client.frames[0]).toMatchObject({ type: "connected", replay: "gap" });
    expect(client.frames[1]).toEqual({
      type: "replay_gap",
      reason: "trimmed",
      oldest_replay_id: "52",
      epoch: "e1",
    });
    expect(client.replayIds()).toEqual(range(52, 152));
    await client.close();
  });

  it("tells of a gap when nothing is kept at all", async () => {
    const user = newUser();
    await publishMany(user, 3);
    await store.redis.del(store.keyspace.sharded(store.keyspace.shardOfUser(user), `hist:${user}`));
    const client = await node.connect(user, { replayFrom: "1", epoch: "e1" });
    await client.next("connected");
    expect(await client.next()).toMatchObject({ reason: "trimmed", oldest_replay_id: null });
    await client.close();
  });

  it("beyond the last id: says that the history was rewound and sends all of it", async () => {
    const user = newUser();
    await publishMany(user, 3);
    const client = await node.connect(user, { replayFrom: "12345" });
    await untilLive(user, client);
    expect(client.frames[1]).toMatchObject({ type: "replay_gap", reason: "rewound" });
    expect(client.replayIds()).toEqual(["1", "2", "3", "4"]);
    await client.close();
  });

  it("of another epoch: says so and sends the whole history", async () => {
    const user = newUser();
    await publishMany(user, 2);
    await publisher.publish(user, { epoch: "e2" });
    const client = await node.connect(user, { replayFrom: "2", epoch: "e1" });
    await untilLive(user, client);
    expect(client.frames[1]).toMatchObject({
      type: "replay_gap",
      reason: "epoch_changed",
      epoch: "e2",
      oldest_replay_id: "1",
    });
    expect(client.replayIds()).toEqual(["1", "2", "1003", "1004"]);
    await client.close();
  });

  it.each(["abc", "-1", "1.5", "9".repeat(16), " 1"])(
    "that is no id (%j): says so, replays nothing, and goes on",
    async (replayFrom) => {
      const user = newUser();
      await publishMany(user, 2);
      const client = await node.connect(user, { replayFrom });
      expect(await client.next()).toMatchObject({ type: "connected", replay: "none" });
      expect(await client.next()).toMatchObject({ type: "error", code: "invalid_replay_from" });
      await untilLive(user, client);
      expect(client.replayIds()).toEqual(["3"]);
      await client.close();
    },
  );
});

describe("without replay_from", () => {
  it("sends what never met a socket, and reports it as delivered", async () => {
    const user = newUser();
    const first = await publisher.publish(user);
    const second = await publisher.publish(user);
    const before = node.receipts.length;
    const client = await node.connect(user);
    expect(await client.next()).toMatchObject({ type: "connected", replay: "none" });
    await untilLive(user, client);
    expect(client.replayIds()).toEqual(["1", "2", "3"]);
    expect(node.receipts.slice(before)).toEqual([
      { noteId: first.noteId, kind: "delivered" },
      { noteId: second.noteId, kind: "delivered" },
    ]);
    await client.close();
  });

  it("leaves out what was delivered before", async () => {
    const user = newUser();
    await publishMany(user, 2);
    const pending = store.keyspace.sharded(store.keyspace.shardOfUser(user), `pend:${user}`);
    await store.redis.zrem(pending, "1");
    const client = await node.connect(user);
    await untilLive(user, client);
    expect(client.replayIds()).toEqual(["2", "3"]);
    await client.close();
  });

  it("tells of pending messages that are no longer kept", async () => {
    const user = newUser();
    await publishMany(user, 103);
    const client = await node.connect(user);
    await untilLive(user, client);
    expect(client.frames[1]).toMatchObject({ reason: "trimmed", oldest_replay_id: "4" });
    expect(client.replayIds()).toEqual(range(4, 104));
    await client.close();
  });
});

describe("what has waited too long", () => {
  const lateClock = createManualClock();
  let late: TestNode | undefined;
  afterEach(async () => await late?.stop());

  it("is not sent unasked", async () => {
    const user = newUser();
    const old = await createTestPublisher({ ...store, clock: lateClock });
    await old.publish(user);
    lateClock.advance(300_000);
    await old.publish(user);
    late = await startTestNode({ ...store, clock: lateClock, nodeId: "late" });
    const client = await late.connect(user);
    await client.next("connected");
    expect(await client.nextNotification()).toMatchObject({ replay_id: "2" });
    expect(client.replayIds()).toEqual(["2"]);
    old.close();
    await client.close();
  });
});
