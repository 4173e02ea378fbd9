/** Acknowledgements and reads: what the sender's worker and the receipts hear of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createManualClock } from "../support/manual-clock.ts";
import type { ConnectOptions, TestClient } from "../support/websocket-client.ts";
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

async function joined(user: string, options: ConnectOptions = {}): Promise<TestClient> {
  const client = await node.connect(user, options);
  await client.next("connected");
  return client;
}

const confirmed = (): string[] =>
  node.receipts.filter(({ kind }) => kind === "confirmed").map(({ noteId }) => noteId);

/** Of these notes, those that the worker was told to be acknowledged, in that order. */
const ackedOf = (notes: readonly { noteId: string }[]): string[] =>
  publisher.answers
    .filter(({ noteId, result }) => result === "acked" && notes.some((it) => it.noteId === noteId))
    .map(({ noteId }) => noteId);

describe("an ordinary message", () => {
  it("has its ack expected, and told to the worker alone, if all tabs acknowledge", async () => {
    const user = newUser();
    const tabs = [await joined(user, { ack: true }), await joined(user, { ack: true })];
    const { noteId, replayId } = await publisher.publish(user);
    expect(await publisher.answer(noteId)).toMatchObject({ result: "ack_expected", sockets: 2 });
    tabs[0]?.send({ type: "ack", replay_id: replayId });
    expect(await publisher.answer(noteId, "acked")).toMatchObject({ fence: 7 });
    expect(confirmed()).not.toContain(noteId);
    for (const tab of tabs) await tab.close();
  });

  it("is done when written if any tab does not, and its ack is a receipt", async () => {
    const user = newUser();
    const tabs = [await joined(user, { ack: true }), await joined(user)];
    const { noteId, replayId } = await publisher.publish(user);
    expect(await publisher.answer(noteId)).toMatchObject({ result: "written", sockets: 2 });
    tabs[0]?.send({ type: "ack", replay_id: replayId });
    await eventually(confirmed).toContain(noteId);
    for (const tab of tabs) await tab.close();
  });

  it("is recorded as acknowledged when the worker that waited for it is gone", async () => {
    const user = newUser();
    const client = await joined(user, { ack: true });
    const { noteId, replayId } = await publisher.publish(user, { worker: "gone" });
    await client.nextNotification();
    client.send({ type: "ack", replay_id: replayId });
    await eventually(confirmed).toContain(noteId);
    await client.close();
  });
});

describe("a pressing message", () => {
  it("is done only when an acknowledging client says so", async () => {
    const user = newUser();
    const client = await joined(user, { ack: true });
    const { noteId, replayId } = await publisher.publish(user, { wantsAck: true });
    expect((await publisher.answer(noteId)).result).toBe("awaiting_ack");
    client.send({ type: "ack", replay_id: replayId });
    expect(await publisher.answer(noteId, "acked")).toMatchObject({ fence: 7 });
    await eventually(confirmed).toContain(noteId);
    await client.close();
  });

  it("is done when written if any tab does not acknowledge", async () => {
    const user = newUser();
    const tabs = [await joined(user, { ack: true }), await joined(user)];
    const { noteId } = await publisher.publish(user, { wantsAck: true });
    expect(await publisher.answer(noteId)).toMatchObject({ result: "written", sockets: 2 });
    for (const tab of tabs) await tab.close();
  });

  it("still waits for its ack when it was filled in from the history", async () => {
    const user = newUser();
    const client = await joined(user, { ack: true });
    await publisher.publish(user, { silent: true });
    const { noteId } = await publisher.publish(user, { wantsAck: true });
    expect((await publisher.answer(noteId)).result).toBe("awaiting_ack");
    expect(node.receipts).not.toContainEqual({ noteId, kind: "delivered" });
    client.send({ type: "ack", replay_id: "2" });
    await publisher.answer(noteId, "acked");
    await client.close();
  });
});

describe("an ack", () => {
  it("covers all messages before it, each once", async () => {
    const user = newUser();
    const client = await joined(user, { ack: true });
    const sent: { noteId: string }[] = [];
    for (let index = 0; index < 5; index += 1) sent.push(await publisher.publish(user));
    await eventually(() => client.replayIds().length).toBe(5);
    client.send({ type: "ack", replay_id: "3", epoch: "e1" });
    client.send({ type: "ack", replay_id: "3", epoch: "e1" });
    client.send({ type: "ack", replay_id: "5", epoch: "e1" });
    await eventually(() => ackedOf(sent)).toEqual(sent.map(({ noteId }) => noteId));
    await client.close();
  });

  it("of a message that another connection received is matched with the history", async () => {
    const user = newUser();
    const sent = [await publisher.publish(user), await publisher.publish(user)];
    const client = await joined(user, { replayFrom: "2", epoch: "e1" });
    client.send({ type: "ack", replay_id: "2" });
    await eventually(confirmed).toEqual(expect.arrayContaining(sent.map(({ noteId }) => noteId)));
    await client.close();
  });

  it("does not speak for messages from before a socket that began in the middle", async () => {
    const user = newUser();
    const old = await publisher.publish(user);
    const pending = store.keyspace.sharded(store.keyspace.shardOfUser(user), `pend:${user}`);
    await store.redis.del(pending);
    const client = await joined(user, { ack: true });
    const fresh = await publisher.publish(user);
    await client.nextNotification();
    client.send({ type: "ack", replay_id: fresh.replayId });
    await publisher.answer(fresh.noteId, "acked");
    client.send({ type: "read", replay_id: fresh.replayId });
    await node.receipt("read", 1);
    expect([...confirmed(), ...ackedOf([old])]).not.toContain(old.noteId);
    await client.close();
  });

  it("of a message that was not sent yet confirms nothing", async () => {
    const user = newUser();
    const client = await joined(user, { ack: true });
    await publisher.publish(user);
    await client.nextNotification();
    const before = confirmed().length;
    client.send({ type: "ack", replay_id: "99" });
    const next = await publisher.publish(user, { wantsAck: true });
    expect((await publisher.answer(next.noteId)).result).toBe("awaiting_ack");
    expect(confirmed().length).toBe(before);
    await client.close();
  });
});

describe("a read", () => {
  it("is reported for that message alone, and counts as its ack", async () => {
    const user = newUser();
    const client = await joined(user, { ack: true });
    await publisher.publish(user);
    const { noteId, replayId } = await publisher.publish(user, { wantsAck: true });
    await publisher.answer(noteId, "awaiting_ack");
    client.send({ type: "read", replay_id: replayId });
    await publisher.answer(noteId, "acked");
    await eventually(() => node.receipts).toContainEqual({ noteId, kind: "read" });
    await client.close();
  });

  it("cannot name another user's notification", async () => {
    const [anna, bo] = [newUser(), newUser()];
    const secret = await publisher.publish(bo);
    const client = await joined(anna);
    const own = await publisher.publish(anna);
    await client.nextNotification();
    client.send({ type: "read", replay_id: own.replayId, notification_id: secret.noteId });
    await eventually(() => node.receipts).toContainEqual({ noteId: own.noteId, kind: "read" });
    expect(node.receipts).not.toContainEqual({ noteId: secret.noteId, kind: "read" });
    await client.close();
  });
});
