/** Who is connected where, as workers and `/health` read it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createPresence, readGatewayCensus } from "../../src/tracking/presence.ts";
import { createHistory } from "../../src/tracking/history.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { eventually, startTestNode, type TestNode } from "./test-node.ts";

const clock = createManualClock();
let store: TestRedis;
const nodes: TestNode[] = [];

beforeAll(async () => {
  store = await openTestRedis();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});
afterAll(async () => await store.close());

async function start(nodeId: string): Promise<TestNode> {
  const node = await startTestNode({ ...store, clock, nodeId });
  nodes.push(node);
  return node;
}

const here = (user: string): Promise<Record<string, string>> =>
  store.redis.hgetall(store.keyspace.sharded(store.keyspace.shardOfUser(user), `here:${user}`));

describe("presence", () => {
  it("counts a user's sockets per node, from join to close", async () => {
    const [a, b] = [await start("a"), await start("b")];
    const first = await a.connect("anna");
    await first.next("connected");
    const second = await a.connect("anna");
    await second.next("connected");
    const other = await b.connect("anna");
    await other.next("connected");
    expect(await here("anna")).toEqual({ a: `2@${clock.now()}`, b: `1@${clock.now()}` });
    await first.close();
    await eventually(() => here("anna")).toMatchObject({ a: `1@${clock.now()}` });
    await second.close();
    await eventually(() => here("anna")).toEqual({ b: `1@${clock.now()}` });
  });

  it("is rewritten every 30 s", async () => {
    const node = await start("a");
    const client = await node.connect("bo");
    await client.next("connected");
    const before = clock.now();
    clock.advance(30_000);
    await eventually(() => here("bo")).toEqual({ a: `1@${before + 30_000}` });
  });

  it("of a node that died is cleared away by the next join", async () => {
    const key = store.keyspace.sharded(store.keyspace.shardOfUser("cy"), "here:cy");
    await store.redis.hset(key, "dead", `3@${clock.now() - 90_001}`, "alive", `1@${clock.now()}`);
    const client = await (await start("a")).connect("cy");
    await client.next("connected");
    expect(Object.keys(await here("cy")).sort()).toEqual(["a", "alive"]);
  });

  it("ends with a stop", async () => {
    const node = await start("a");
    const client = await node.connect("di");
    await client.next("connected");
    await node.gateway.stop();
    expect(await here("di")).toEqual({});
    expect(await store.redis.hexists(store.keyspace.plain("gateways"), "a")).toBe(0);
  });
});

describe("hundreds of users together", () => {
  const users = Array.from({ length: 120 }, (_, index) => `many-${index}`);

  it.each([
    ["on one Redis", false],
    ["in a cluster", true],
  ])("are written, each its own count, and leave with none (%s)", async (_where, apart) => {
    const presence = createPresence({ ...store, clock, nodeId: "many", apart });
    const counted = users.map((userId, index) => ({ userId, sockets: 1 + (index % 3) }));
    await presence.write(counted);
    for (const { userId, sockets } of counted) {
      expect(await here(userId)).toEqual({ many: `${sockets}@${clock.now()}` });
    }
    await presence.write(users.map((userId) => ({ userId, sockets: 0 })));
    for (const userId of users) expect(await here(userId)).toEqual({});
  });

  it.each([
    ["on one Redis", false],
    ["in a cluster", true],
  ])("are told where each history stands, or that there is none (%s)", async (_where, apart) => {
    const metaOf = (user: string): string =>
      store.keyspace.sharded(store.keyspace.shardOfUser(user), `meta:${user}`);
    const expected = users.map((_user, index) =>
      index % 2 === 0 ? { epoch: `e${index}`, id: index + 1 } : { epoch: null, id: 0 },
    );
    for (const [index, { epoch, id }] of expected.entries()) {
      if (epoch !== null) await store.redis.hset(metaOf(users[index] ?? ""), { epoch, last: id });
    }
    const history = createHistory({ ...store, clock, size: 100, apart });
    expect(await history.positions(users)).toEqual(expected);
  });
});

describe("the census", () => {
  it("sums the nodes that told lately", async () => {
    const deps = { ...store, clock };
    const census = () => readGatewayCensus(deps);
    expect(await census()).toEqual({
      total_connections: 0,
      active_users: 0,
      average_duration_seconds: 0,
    });
    const [x, y] = ["x", "y"].map((nodeId) => createPresence({ ...deps, nodeId }));
    await x?.writeCensus({ connections: 30, users: 20, ageSeconds: 100 });
    clock.advance(60_000);
    await y?.writeCensus({ connections: 10, users: 10, ageSeconds: 300 });
    expect(await census()).toEqual({
      total_connections: 40,
      active_users: 30,
      average_duration_seconds: 150,
    });
    clock.advance(31_000);
    expect(await census()).toMatchObject({ total_connections: 10, average_duration_seconds: 300 });
    await y?.removeCensus();
    expect(await census()).toMatchObject({ total_connections: 0, active_users: 0 });
  });

  it("is told by a node about its own sockets", async () => {
    const node = await start("a");
    const clients = [await node.connect("ed"), await node.connect("ed"), await node.connect("fay")];
    for (const client of clients) await client.next("connected");
    clock.advance(5_000);
    await eventually(() => readGatewayCensus({ ...store, clock })).toEqual({
      total_connections: 3,
      active_users: 2,
      average_duration_seconds: 5,
    });
  });
});
