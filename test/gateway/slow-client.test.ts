/** A client that stops reading: others are not held up, memory stays bounded, nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeAnswer } from "../../src/contract/node-message.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import type { TestClient } from "../support/websocket-client.ts";
import { createTestPublisher, type TestPublisher } from "./publisher.ts";
import { eventually, startTestNode, type TestNode } from "./test-node.ts";

/** Large, so that the operating system's own buffers are soon full. */
const PADDING = 200_000;
/** The operating system takes a few megabytes; if it takes this many the test is wrong. */
const MAX_MESSAGES = 90;

const clock = createManualClock();
let store: TestRedis;
let publisher: TestPublisher;
let node: TestNode;

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

/** Publishes until a message is answered so; returns how many that took. */
async function publishUntil(user: string, isIt: (answer: NodeAnswer) => boolean): Promise<number> {
  for (let count = 1; count <= MAX_MESSAGES; count += 1) {
    const { noteId } = await publisher.publish(user, { padding: PADDING });
    if (isIt(await publisher.answer(noteId))) return count;
  }
  throw new Error("the socket never became slow");
}

const range = (to: number): string[] => Array.from({ length: to }, (_, index) => String(index + 1));

describe("a client that stops reading", () => {
  it("is answered as slow, and gets everything in order once it reads again", async () => {
    const client = await node.connect("anna");
    await client.next("connected");
    client.pause();
    const count = await publishUntil("anna", ({ result }) => result === "slow");
    const { noteId } = await publisher.publish("anna", { padding: PADDING });
    expect(await publisher.answer(noteId)).toMatchObject({ result: "slow", sockets: 0 });
    client.resume();
    await eventually(() => client.replayIds().length).toBe(count + 1);
    expect(client.replayIds()).toEqual(range(count + 1));
    const live = await publisher.publish("anna");
    expect((await publisher.answer(live.noteId)).result).toBe("written");
    await client.close();
  });

  it("does not hold up the user's other tab", async () => {
    const [stuck, lively] = [await node.connect("bo"), await node.connect("bo")];
    await stuck.next("connected");
    await lively.next("connected");
    stuck.pause();
    const count = await publishUntil("bo", ({ sockets }) => sockets === 1);
    await eventually(() => lively.replayIds().length).toBe(count);
    stuck.resume();
    await eventually(() => stuck.replayIds().length).toBe(count);
    await stuck.close();
    await lively.close();
  });

  it("is closed with 1011 after 5 s, and comes back to what it missed", async () => {
    const client = await node.connect("cy");
    await client.next("connected");
    client.pause();
    const count = await publishUntil("cy", ({ result }) => result === "slow");
    clock.advance(7_000);
    client.resume();
    expect(await client.closed).toEqual({ code: 1011, reason: "slow consumer" });
    const got = client.replayIds();
    expect(got.length).toBeLessThan(count);

    const again = await node.connect("cy", { replayFrom: got.at(-1) ?? "0", epoch: "e1" });
    await eventually(() => again.replayIds().length).toBe(count - got.length);
    expect([...got, ...again.replayIds()]).toEqual(range(count));
    expect(again.frames.some(({ type }) => type === "replay_gap")).toBe(false);
    await again.close();
  });
});

describe("a replay of many megabytes", () => {
  it("arrives whole, because it is sent no faster than it is read", async () => {
    for (let index = 0; index < 60; index += 1) {
      await publisher.publish("di", { padding: PADDING });
    }
    const client = await node.connect("di", { replayFrom: "0" });
    await eventually(() => client.replayIds().length).toBe(60);
    const live = await publisher.publish("di");
    expect((await publisher.answer(live.noteId)).result).toBe("written");
    await eventually(() => client.replayIds()).toEqual(range(61));
    await client.close();
  });
});

describe("twenty clients that stop reading while messages keep coming", () => {
  it("take a bounded part of the memory, and none of it once they are closed", async () => {
    const SLOW_BYTES = 256 * 1024;
    const clients: TestClient[] = [];
    for (let index = 0; index < 20; index += 1) {
      const client = await node.connect(`slow-${index}`);
      await client.next("connected");
      client.pause();
      clients.push(client);
    }
    // The system takes megabytes for each; ours begins when that is full.
    let slow = 0;
    for (let round = 0; slow < clients.length && round < MAX_MESSAGES; round += 1) {
      const sent = await Promise.all(
        clients.map((_, index) => publisher.publish(`slow-${index}`, { padding: PADDING })),
      );
      const answers = await Promise.all(sent.map(({ noteId }) => publisher.answer(noteId)));
      slow = answers.filter(({ result }) => result === "slow").length;
      // Once it is over the limit nothing is added: one message at most is beyond.
      expect(Math.max(...node.unsentBytes())).toBeLessThan(SLOW_BYTES + 2 * PADDING);
    }
    expect(slow).toBe(clients.length);
    clock.advance(7_000);
    // They do not answer the close either, and are cut.
    await eventually(() => node.unsentBytes()).toEqual([]);
    expect(node.gateway.size()).toEqual({ users: 0, connections: 0 });
    for (const client of clients) client.resume();
  });
});
