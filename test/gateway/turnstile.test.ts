/** Many sockets that come back at once: all get in, while Redis is asked for a few histories at a time. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTurnstile } from "../../src/gateway/turnstile.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createTestPublisher } from "./publisher.ts";
import { startTestNode } from "./test-node.ts";

const SOCKETS = 100;
/** Room for some at a time; all at once would be as many as there are sockets. */
const MANY = 20;

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});
afterAll(async () => await store.close());

describe("a hundred sockets that come back at once", () => {
  it("are all let in and heard, though few histories are read at the same time", async () => {
    const clock = createManualClock();
    const publisher = await createTestPublisher({ ...store, clock });
    let reading = 0;
    let most = 0;
    async function counted<T>(read: Promise<T>): Promise<T> {
      reading += 1;
      most = Math.max(most, reading);
      return await read.finally(() => {
        reading -= 1;
      });
    }
    const node = await startTestNode({
      ...store,
      clock,
      around: (history) => ({
        ...history,
        join: (request) => counted(history.join(request)),
        notes: (userId, range) => counted(history.notes(userId, range)),
      }),
    });
    const users = Array.from({ length: SOCKETS }, (_, index) => `user-${index}`);
    for (const user of users) await publisher.publish(user);
    const clients = await Promise.all(
      users.map((user) => node.connect(user, { replayFrom: "1", epoch: "e1" })),
    );
    for (const client of clients) await client.next("connected");
    // Of what they had before, each first ack has the history asked.
    for (const client of clients) client.send({ type: "ack", replay_id: "1" });
    await node.receipt("confirmed", SOCKETS);
    expect(most).toBeLessThanOrEqual(MANY);
    expect(most).toBeGreaterThan(1);
    await node.stop();
    publisher.close();
  });
});

describe("a place that becomes free", () => {
  it("goes to whoever has waited longest, also when the one before failed", async () => {
    const inTurn = createTurnstile(1);
    const order: number[] = [];
    const works = [1, 2, 3, 4].map((number) =>
      inTurn(async () => {
        await Promise.resolve();
        order.push(number);
        if (number === 2) throw new Error("it failed");
      }),
    );
    const results = await Promise.allSettled(works);
    await inTurn(async () => void order.push(5));
    expect(order).toEqual([1, 2, 3, 4, 5]);
    expect(results.map(({ status }) => status === "fulfilled")).toEqual([true, false, true, true]);
  });

  it("goes to them in order also where thousands wait and the line is never empty", async () => {
    const inTurn = createTurnstile(1);
    const order: number[] = [];
    const works = Array.from({ length: 5_000 }, (_, number) =>
      inTurn(async () => void order.push(number)),
    );
    // Somebody always comes before the last one has gone.
    for (let number = 5_000; number < 8_000; number += 1) {
      await works[number - 4_000];
      works.push(inTurn(async () => void order.push(number)));
    }
    await Promise.all(works);
    expect(order).toEqual(works.map((_, number) => number));
  });
});
