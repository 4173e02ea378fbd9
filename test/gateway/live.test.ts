/** Messages to open sockets: every tab of the user, nobody else, once, in order; and the answers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSealing } from "../../src/platform/sealing.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createManualClock } from "../support/manual-clock.ts";
import type { TestClient } from "../support/websocket-client.ts";
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

async function joined(at: TestNode, user: string, options = {}): Promise<TestClient> {
  const client = await at.connect(user, options);
  await client.next("connected");
  return client;
}

/** Whose messages arrived; undefined stands for frames about the connection. */
const usersOf = (client: TestClient) => new Set(client.frames.map((frame) => frame["user"]));

describe("an open socket", () => {
  it("gets messages as they come, with their place in front", async () => {
    const user = newUser();
    const client = await joined(node, user);
    const first = await publisher.publish(user);
    expect(await client.nextNotification()).toMatchObject({
      notification_id: first.noteId,
      replay_id: "1",
      epoch: "e1",
      user,
    });
    expect(await publisher.answer(first.noteId)).toEqual({
      noteId: first.noteId,
      fence: 7,
      result: "written",
      sockets: 1,
    });
    await client.close();
  });

  it("gets a burst in order", async () => {
    const user = newUser();
    const client = await joined(node, user);
    const sent = await Promise.all(Array.from({ length: 200 }, () => publisher.publish(user)));
    const last = sent.at(-1);
    await publisher.answer(last?.noteId ?? "");
    await eventually(() => client.replayIds().length).toBe(200);
    expect(client.replayIds()).toEqual(sent.map(({ replayId }) => replayId));
    await client.close();
  });

  it("gets its own of messages that were sent together, whatever is wrong with others", async () => {
    const [anna, bo] = [newUser(), newUser()];
    const [first, second] = [await joined(node, anna), await joined(node, bo)];
    const lines = [anna, bo].map((user) => {
      const noteId = store.keyspace.newNoteId(user);
      return `${user} 7 w1 0 1 e1 ${noteId} {"type":"test","notification_id":"${noteId}","user":"${user}"}`;
    });
    const text = [lines[0], "cut-short 7 w1", lines[1]].join("\n");
    await store.redis.spublish(store.keyspace.sharded(0, "node:n1"), text);
    expect(await first.nextNotification()).toMatchObject({ user: anna });
    expect(await second.nextNotification()).toMatchObject({ user: bo });
    await first.close();
    await second.close();
  });

  it("never gets another user's messages", async () => {
    const [anna, bo] = [newUser(), newUser()];
    const [atAnna, atBo] = [await joined(node, anna), await joined(node, bo)];
    for (let index = 0; index < 20; index += 1) {
      await publisher.publish(anna);
      await publisher.publish(bo);
    }
    await eventually(() => atAnna.replayIds().length).toBe(20);
    await eventually(() => atBo.replayIds().length).toBe(20);
    expect(usersOf(atAnna)).toEqual(new Set([undefined, anna]));
    expect(usersOf(atBo)).toEqual(new Set([undefined, bo]));
    await atAnna.close();
    await atBo.close();
  });

  it("shares messages with the user's other tabs, which are counted", async () => {
    const user = newUser();
    const tabs = [await joined(node, user), await joined(node, user), await joined(node, user)];
    const { noteId } = await publisher.publish(user);
    expect(await publisher.answer(noteId)).toMatchObject({ result: "written", sockets: 3 });
    for (const tab of tabs) {
      expect(await tab.nextNotification()).toMatchObject({ notification_id: noteId });
    }
    for (const tab of tabs) await tab.close();
  });

  it("opens messages that are stored encrypted", async () => {
    const key = Buffer.alloc(32, 7);
    const sealed = createSealing(key).seal('{"type":"t","notification_id":"n","title":"Å"}');
    const other = await startTestNode({ ...store, clock, nodeId: "sealed", sealingKey: key });
    const user = newUser();
    const shard = store.keyspace.shardOfUser(user);
    const noteId = store.keyspace.newNoteId(user);
    await store.redis.hset(store.keyspace.sharded(shard, `meta:${user}`), "epoch", "e1", "last", 1);
    const history = store.keyspace.sharded(shard, `hist:${user}`);
    await store.redis.lpush(history, `1 e1 ${noteId} ${sealed}`);
    const client = await other.connect(user, { replayFrom: "0" });
    expect(await client.nextNotification()).toMatchObject({ title: "Å", replay_id: "1" });
    await client.close();
    await other.stop();
  });
});

describe("a user on two nodes", () => {
  it("gets each message on both", async () => {
    const user = newUser();
    const second = await startTestNode({ ...store, clock, nodeId: "n2" });
    const here = await joined(node, user);
    const there = await joined(second, user);
    const { noteId, nodes } = await publisher.publish(user);
    expect(nodes).toBe(2);
    expect(await here.nextNotification()).toMatchObject({ notification_id: noteId });
    expect(await there.nextNotification()).toMatchObject({ notification_id: noteId });
    await here.close();
    await there.close();
    await second.stop();
  });
});

describe("a node without sockets of the user", () => {
  it("says so, and is no longer asked once the last tab is closed", async () => {
    const user = newUser();
    const shard = store.keyspace.shardOfUser(user);
    const here = store.keyspace.sharded(shard, `here:${user}`);
    await store.redis.hset(here, "n1", `1@${clock.now()}`);
    const lost = await publisher.publish(user);
    expect(await publisher.answer(lost.noteId)).toMatchObject({ result: "no_socket", sockets: 0 });

    const client = await joined(node, user);
    await client.close();
    await eventually(() => store.redis.hlen(here)).toBe(0);
    expect((await publisher.publish(user)).nodes).toBe(0);
  });
});

describe("messages that passed a node by", () => {
  it("are filled in before the next one", async () => {
    const user = newUser();
    const client = await joined(node, user);
    await publisher.publish(user);
    const missed = await publisher.publish(user, { silent: true });
    await publisher.publish(user);
    await eventually(() => client.replayIds()).toEqual(["1", "2", "3"]);
    await expect
      .poll(() => node.receipts)
      .toContainEqual({
        noteId: missed.noteId,
        kind: "delivered",
      });
    await client.close();
  });

  it("come with a gap in front when the history no longer reaches back", async () => {
    const user = newUser();
    const client = await joined(node, user);
    await publisher.publish(user);
    for (let index = 0; index < 120; index += 1) await publisher.publish(user, { silent: true });
    await publisher.publish(user);
    await eventually(() => client.replayIds().length).toBe(101);
    expect(client.frames.slice(1, 4)).toMatchObject([
      { replay_id: "1" },
      { type: "replay_gap", reason: "trimmed", oldest_replay_id: "23" },
      { replay_id: "23" },
    ]);
    await client.close();
  });

  it("are found by the regular comparison", async () => {
    const user = newUser();
    const client = await joined(node, user);
    await publisher.publish(user);
    await publisher.publish(user, { silent: true });
    await publisher.publish(user, { silent: true });
    clock.advance(30_000);
    await eventually(() => client.replayIds()).toEqual(["1", "2", "3"]);
    await client.close();
  });

  it("are found after the subscription was cut", async () => {
    const user = newUser();
    const client = await joined(node, user);
    await publisher.publish(user);
    await client.nextNotification();
    const here = store.keyspace.sharded(store.keyspace.shardOfUser(user), `here:${user}`);
    node.cutSubscription();
    await store.redis.del(here);
    await publisher.publish(user);
    await eventually(() => client.replayIds()).toEqual(["1", "2"]);
    // Presence is written again as well, so that the next one comes by itself.
    expect((await publisher.publish(user)).nodes).toBe(1);
    await eventually(() => client.replayIds()).toEqual(["1", "2", "3"]);
    await client.close();
  });
});

describe("a new epoch", () => {
  it("is announced before its first message", async () => {
    const user = newUser();
    const client = await joined(node, user);
    await publisher.publish(user);
    await publisher.publish(user, { epoch: "e9" });
    await publisher.publish(user);
    await eventually(() => client.replayIds()).toEqual(["1", "1002", "1003"]);
    expect(client.frames.slice(1)).toMatchObject([
      { replay_id: "1", epoch: "e1" },
      { type: "replay_gap", reason: "epoch_changed", epoch: "e9" },
      { replay_id: "1002", epoch: "e9" },
      { replay_id: "1003", epoch: "e9" },
    ]);
    await client.close();
  });

  it("starts over when the history was lost", async () => {
    const user = newUser();
    const client = await joined(node, user);
    await publisher.publish(user);
    await publisher.publish(user);
    await client.nextNotification();
    const shard = store.keyspace.shardOfUser(user);
    for (const name of ["meta", "hist", "pend"]) {
      await store.redis.del(store.keyspace.sharded(shard, `${name}:${user}`));
    }
    await publisher.publish(user, { epoch: "fresh" });
    await eventually(() => client.frames.at(-1)).toMatchObject({ epoch: "fresh", replay_id: "1" });
    expect(client.frames.at(-2)).toMatchObject({ type: "replay_gap", reason: "epoch_changed" });
    await client.close();
  });
});

describe("what is counted", () => {
  it("is every live frame on every socket, apart from those of replays", async () => {
    const counting = await startTestNode({ ...store, clock, nodeId: "counting" });
    const user = newUser();
    await publisher.publish(user);
    const tabs = [await joined(counting, user), await joined(counting, user)];
    const noteIds = [];
    for (let count = 0; count < 3; count += 1) noteIds.push((await publisher.publish(user)).noteId);
    for (const noteId of noteIds) await publisher.answer(noteId);
    const framesOf = (wanted: "sent" | "replayed"): number =>
      counting.events.reduce((sum, event) => (event.kind === wanted ? sum + event.frames : sum), 0);
    expect(framesOf("sent")).toBe(6);
    expect(framesOf("replayed")).toBeGreaterThan(0);
    // The gateway counts what it writes; the tabs read it a moment later.
    await eventually(() => tabs.flatMap((tab) => tab.replayIds()).length).toBe(
      6 + framesOf("replayed"),
    );
    await counting.stop();
  });
});
