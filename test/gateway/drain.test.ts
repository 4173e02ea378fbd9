/** A node that stops: everybody is told when to come back, and nothing is lost on the way to another. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ControlFrame } from "../../src/gateway/connection.ts";
import { createFarewell } from "../../src/gateway/farewell.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { connect, type TestClient } from "../support/websocket-client.ts";
import { createTestPublisher, type TestPublisher } from "./publisher.ts";
import { eventually, startTestNode, type TestNode } from "./test-node.ts";

const clock = createManualClock();
let store: TestRedis;
let publisher: TestPublisher;
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

async function start(
  options: Partial<Parameters<typeof startTestNode>[0]> = {},
): Promise<TestNode> {
  const node = await startTestNode({ ...store, clock, nodeId: `n${Math.random()}`, ...options });
  nodes.push(node);
  return node;
}

const range = (to: number): string[] => Array.from({ length: to }, (_, index) => String(index + 1));

async function openMany(node: TestNode, count: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  for (let index = 0; index < count; index += 1) {
    const client = await connect(node.url, { token: `many-${index}` });
    await client.next("connected");
    clients.push(client);
  }
  return clients;
}

describe("a stop", () => {
  it("tells each client when to come back, then closes with 1001", async () => {
    const node = await start();
    const [anna, bo] = [await node.connect("anna"), await node.connect("bo")];
    await anna.next("connected");
    await bo.next("connected");
    await node.gateway.stop();
    expect(await anna.next("going_away")).toEqual({ type: "going_away", retry_after_ms: 2_750 });
    expect(await anna.closed).toEqual({ code: 1001, reason: "going away" });
    expect((await bo.closed).code).toBe(1001);
  });

  it("tells those as well who come while it lasts", async () => {
    const node = await start();
    await node.gateway.stop();
    const late = await node.connect("anna");
    expect(await late.next()).toMatchObject({ type: "going_away", retry_after_ms: 2_750 });
    expect(await late.closed).toEqual({ code: 1001, reason: "going away" });
  });

  it("tells those as well whose history is still awaited", async () => {
    let asked = (): void => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let answer = (): void => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const node = await start({
      around: (history) => ({
        ...history,
        async join(request) {
          asked();
          await held;
          return await history.join(request);
        },
      }),
    });
    const client = await node.connect("cy", { replayFrom: "0" });
    await isAsked;
    await node.gateway.stop();
    expect(client.frames.map(({ type }) => type)).toEqual(["going_away"]);
    expect(await client.closed).toEqual({ code: 1001, reason: "going away" });
    answer();
  });

  it("lets a client read what it was sent before", async () => {
    const node = await start();
    const client = await node.connect("di");
    await client.next("connected");
    client.pause();
    for (let index = 0; index < 40; index += 1) {
      const { noteId } = await publisher.publish("di", { padding: 5_000 });
      expect((await publisher.answer(noteId)).result).toBe("written");
    }
    const stopped = node.gateway.stop();
    client.resume();
    await stopped;
    expect(client.replayIds()).toEqual(range(40));
    expect((await client.closed).code).toBe(1001);
  });

  it("is not held up by clients that read nothing", async () => {
    const node = await start();
    const client = await node.connect("ed");
    await client.next("connected");
    client.pause();
    const { noteId } = await publisher.publish("ed", { padding: 200_000 });
    await publisher.answer(noteId);
    let isStopped = false;
    const stopped = node.gateway.stop().then(() => {
      isStopped = true;
    });
    await eventually(() => {
      clock.advance(500);
      return isStopped;
    }).toBe(true);
    await stopped;
  });

  it("loses nothing that is published meanwhile: it is answered, and waits at the next node", async () => {
    const [leaving, next] = [await start(), await start()];
    const client = await leaving.connect("fay");
    await client.next("connected");
    const sent: { noteId: string; nodes: number }[] = [];
    let published = 0;
    const publishing = (async () => {
      for (; published < 300; published += 1) sent.push(await publisher.publish("fay"));
    })();
    await eventually(() => client.replayIds().length).toBeGreaterThan(20);
    await leaving.gateway.stop();
    await client.closed;
    await publishing;
    // No worker waits in vain for a node that is gone.
    for (const { noteId, nodes: asked } of sent) if (asked > 0) await publisher.answer(noteId);
    const before = client.replayIds();
    expect(before.length).toBeLessThan(300);
    const last = before.at(-1) ?? "0";
    const again = await next.connect("fay", { replayFrom: last, epoch: "e1" });
    await again.next("connected");
    const isWhole = 300 - before.length <= 100;
    await eventually(() => again.replayIds().at(-1)).toBe("300");
    if (isWhole) expect([...before, ...again.replayIds()]).toEqual(range(300));
    else expect(again.frames[1]).toMatchObject({ type: "replay_gap" });
  });
});

describe("many clients of a node that stops", () => {
  it("are each told another time", async () => {
    const SOCKETS = 100;
    let turn = 0;
    // Evenly from 0 to 1, as chance would have it in the mean.
    const node = await start({ random: () => (turn++ % SOCKETS) / SOCKETS });
    const clients = await openMany(node, SOCKETS);
    await node.gateway.stop();
    const hints = clients.map(({ frames }) => Number(frames.at(-1)?.["retry_after_ms"]));
    expect(new Set(hints).size).toBe(SOCKETS);
    expect(Math.min(...hints)).toBe(250);
    expect(Math.max(...hints)).toBeGreaterThan(5_000);
    for (const client of clients) expect((await client.closed).code).toBe(1001);
  });

  it.each([100, 2_000, 10_000, 15_000])(
    "(%i) come back no faster than one node can take them in",
    async (count) => {
      const returns: number[] = [];
      const socket = {
        control: (frame: ControlFrame) => {
          if (frame.type === "going_away") returns.push(frame.retry_after_ms);
        },
        close: () => {},
        terminate: () => {},
        whenClosed: () => Promise.resolve(),
      };
      let turn = 0;
      const farewell = createFarewell({
        sockets: {
          each(visit) {
            for (let index = 0; index < count; index += 1) visit(socket);
          },
        },
        clock,
        random: () => (turn++ % count) / count,
      });
      await farewell.sayToAll();
      expect(returns.length).toBe(count);
      const perSecond = Map.groupBy(returns, (at) => Math.floor(at / 1_000));
      const busiest = Math.max(...Array.from(perSecond.values(), ({ length }) => length));
      expect(busiest).toBeLessThanOrEqual(Math.min(count, 500));
      // Nobody is kept away longer than that takes.
      expect(Math.max(...returns)).toBeLessThanOrEqual(250 + Math.max(5_000, count * 2));
    },
  );
});
