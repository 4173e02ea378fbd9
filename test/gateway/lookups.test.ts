/** What frames about messages that the node did not send cost, and that nothing of them is lost. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LOOKUPS_PER_WINDOW } from "../../src/gateway/lookups.ts";
import type { History } from "../../src/tracking/history.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import type { ConnectOptions, TestClient } from "../support/websocket-client.ts";
import { createTestPublisher, type TestPublisher } from "./publisher.ts";
import { eventually, startTestNode, type TestNode } from "./test-node.ts";

type Looks = Parameters<History["notes"]>[1][];

const WINDOW_MS = 10_000;
const clock = createManualClock();
let store: TestRedis;
let publisher: TestPublisher;
let users = 0;
const newUser = (): string => `user-${(users += 1)}`;
const nodes: TestNode[] = [];

beforeAll(async () => {
  store = await openTestRedis();
  publisher = await createTestPublisher({ ...store, clock });
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
afterAll(async () => {
  publisher.close();
  await store.close();
});

/** A node whose looks at histories are noted, and wait while `hold` has not been let go. */
async function start(hold: Promise<void> = Promise.resolve()) {
  const looks: Looks = [];
  const around = (history: History): History => ({
    ...history,
    async notes(userId, range) {
      looks.push(range);
      await hold;
      return await history.notes(userId, range);
    },
  });
  const node = await startTestNode({ ...store, clock, around });
  nodes.push(node);
  return { node, looks };
}

async function published(user: string, count: number): Promise<string[]> {
  const noteIds = [];
  for (let index = 0; index < count; index += 1) {
    noteIds.push((await publisher.publish(user)).noteId);
  }
  return noteIds;
}

/** Opens a socket that says it has everything up to `last`. */
async function back(node: TestNode, user: string, last: number): Promise<TestClient> {
  const options: ConnectOptions = { replayFrom: String(last), epoch: "e1" };
  const client = await node.connect(user, options);
  await client.next("connected");
  return client;
}

const read = (id: number) => ({ type: "read", replay_id: String(id) });
const ack = (id: number, epoch = "e1") => ({ type: "ack", replay_id: String(id), epoch });

/** Resolves when the node has taken in all that this client sent before. */
async function taken(client: TestClient): Promise<void> {
  client.send("?");
  await client.next("error");
}

const noted = (node: TestNode, kind: string): string[] =>
  node.receipts.filter((receipt) => receipt.kind === kind).map(({ noteId }) => noteId);

describe("a flood of frames about one message", () => {
  it("is one look at the history and one receipt, from however many sockets", async () => {
    const { node, looks } = await start();
    const user = newUser();
    const [first] = await published(user, 5);
    for (let socket = 0; socket < 10; socket += 1) {
      const client = await back(node, user, 5);
      for (let frame = 0; frame < 300; frame += 1) client.send(read(1));
      await taken(client);
    }
    await eventually(() => noted(node, "read")).toEqual([first]);
    expect(looks).toEqual([{ epoch: "e1", above: 0, through: 1 }]);
  });

  it("is one receipt when the node itself sent the message", async () => {
    const { node, looks } = await start();
    const user = newUser();
    const client = await node.connect(user, { ack: true });
    await client.next("connected");
    const [noteId] = await published(user, 1);
    await client.nextNotification();
    for (let frame = 0; frame < 300; frame += 1) client.send(read(1));
    await taken(client);
    expect(noted(node, "read")).toEqual([noteId]);
    expect(looks).toEqual([]);
  });
});

describe("while the history is read", () => {
  it("what comes in from all of a user's sockets waits, and is one further look", async () => {
    const hold = Promise.withResolvers<void>();
    const { node, looks } = await start(hold.promise);
    const user = newUser();
    const noteIds = await published(user, 30);
    const tabs = [await back(node, user, 30), await back(node, user, 30)];
    for (const [index, tab] of tabs.entries()) {
      tab.send(read(1));
      for (let id = 10 + index; id <= 28; id += 2) tab.send(read(id));
      tab.send(ack(3));
      tab.send(ack(5));
      await taken(tab);
    }
    expect(looks).toEqual([{ epoch: "e1", above: 0, through: 1 }]);
    hold.resolve();
    await eventually(() => noted(node, "read").length).toBe(20);
    expect(looks.slice(1)).toEqual([{ epoch: "e1", above: 0, through: 28 }]);
    expect(new Set(noted(node, "read"))).toEqual(new Set([...noteIds.slice(9, 28), noteIds[0]]));
    expect(noted(node, "confirmed").toSorted()).toEqual(noteIds.slice(0, 5).toSorted());
  });
});

describe("the budget of looks", () => {
  /** Each ack names an epoch of its own, so that no look can serve two of them. */
  async function spend(node: TestNode, looks: Looks, user: string): Promise<TestClient> {
    const client = await back(node, user, 5);
    for (let count = 1; count <= LOOKUPS_PER_WINDOW; count += 1) {
      client.send(ack(1, `invented-${count}`));
      await eventually(() => looks.length).toBe(count);
    }
    return client;
  }

  it("holds back what is beyond it until the next window, and loses nothing", async () => {
    const { node, looks } = await start();
    const user = newUser();
    const noteIds = await published(user, 5);
    const client = await spend(node, looks, user);
    for (let id = 1; id <= 5; id += 1) client.send(ack(id));
    client.send(read(2));
    await taken(client);
    clock.advance(WINDOW_MS - 1);
    expect(looks).toHaveLength(LOOKUPS_PER_WINDOW);
    expect(node.receipts).toEqual([]);
    clock.advance(1);
    await eventually(() => noted(node, "confirmed").toSorted()).toEqual(noteIds.toSorted());
    expect(noted(node, "read")).toEqual([noteIds[1]]);
    expect(looks.slice(LOOKUPS_PER_WINDOW)).toEqual([{ epoch: "e1", above: 0, through: 5 }]);
  });

  it("is not renewed by coming back, and is no one else's", async () => {
    const { node, looks } = await start();
    const [greedy, other] = [newUser(), newUser()];
    await published(greedy, 5);
    const [noteId] = await published(other, 5);
    await (await spend(node, looks, greedy)).close();
    const again = await back(node, greedy, 5);
    again.send(read(1));
    await taken(again);
    expect(looks).toHaveLength(LOOKUPS_PER_WINDOW);
    (await back(node, other, 5)).send(read(1));
    await eventually(() => noted(node, "read")).toEqual([noteId]);
  });
});

describe("a client that acknowledges every message", () => {
  it("has the history looked at only when it comes back, once, for acks that may have been lost", async () => {
    const { node, looks } = await start();
    const user = newUser();
    const client = await node.connect(user, { ack: true });
    await client.next("connected");
    const noteIds: string[] = [];
    for (let id = 1; id <= 60; id += 1) {
      noteIds.push(...(await published(user, 1)));
      await client.nextNotification();
      client.send(ack(id));
    }
    await taken(client);
    const own = new Set(noteIds);
    const acked = () =>
      publisher.answers.filter(({ noteId, result }) => result === "acked" && own.has(noteId));
    await eventually(() => acked().map(({ noteId }) => noteId)).toEqual(noteIds);
    expect(looks).toEqual([]);
    await client.close();
    await eventually(() => node.gateway.size().connections).toBe(0);
    noteIds.push(...(await published(user, 40)));
    const later = await node.connect(user, { ack: true, replayFrom: "60", epoch: "e1" });
    for (let id = 61; id <= 100; id += 1) later.send(ack(Number(await replayIdOf(later))));
    await taken(later);
    await eventually(() => noted(node, "confirmed").length).toBe(100);
    expect(new Set(noted(node, "confirmed"))).toEqual(new Set(noteIds));
    expect(looks).toEqual([{ epoch: "e1", above: 0, through: 60 }]);
  });

  const replayIdOf = async (client: TestClient): Promise<unknown> =>
    (await client.nextNotification())["replay_id"];
});
