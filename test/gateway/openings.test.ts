/** A client that reconnects in a loop is held back; everybody else is not. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { startTestNode, type TestNode } from "./test-node.ts";

let store: TestRedis;
const nodes: TestNode[] = [];

beforeAll(async () => {
  store = await openTestRedis();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
afterAll(async () => await store.close());

describe("the gateway", () => {
  it("is closed to a user who opens sockets in a loop, until the window has passed", async () => {
    const node = await startTestNode({ ...store, clock: createManualClock() });
    nodes.push(node);
    for (let opened = 0; opened < 30; opened += 1) {
      const client = await node.connect("looping");
      await client.next("connected");
      await client.close();
    }
    expect(await (await node.connect("looping")).closed).toEqual({
      code: 1013,
      reason: "reconnecting too often",
    });
    expect((await (await node.connect("patient")).next()).type).toBe("connected");
    node.clock.advance(10_000);
    expect((await (await node.connect("looping")).next()).type).toBe("connected");
  });
});
