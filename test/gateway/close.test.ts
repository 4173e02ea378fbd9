/** Who is let in, what a client may send, and the close codes it sees. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createFailedLogins } from "../../src/auth/failed-logins.ts";
import { CLOSE_CODES } from "../../src/gateway/close-codes.ts";
import type { GatewaySettings } from "../../src/gateway/gateway.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { connect, type ConnectOptions, type TestClient } from "../support/websocket-client.ts";
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

async function start(settings: Partial<GatewaySettings> = {}): Promise<TestNode> {
  const node = await startTestNode({ ...store, clock: createManualClock(), settings });
  nodes.push(node);
  return node;
}

describe("the documented close codes", () => {
  it("are those of the code", () => {
    const page = readFileSync(new URL("../../docs/CLOSE-CODES.md", import.meta.url), "utf8");
    // The formatter pads the cells of a table.
    const rows = page
      .split("\n")
      .filter((line) => /^\| \d/.test(line))
      .map((line) =>
        line
          .split("|")
          .map((cell) => cell.trim())
          .slice(1, -1),
      );
    const expected = Object.values(CLOSE_CODES).map(({ code, meaning, reconnect, client }) => [
      String(code),
      meaning,
      reconnect ? "yes" : "no",
      client,
    ]);
    expect(rows).toEqual(expected);
  });
});

const from = (origin: string) => ({ headers: { origin } });

describe("without a good token", () => {
  it.each([
    ["no token", {}],
    ["an empty one", { token: "" }],
    ["one that does not verify", { token: "wrong" }],
    ["a user id that is none", { token: "a b" }],
    ["another scheme", { headers: { authorization: "Basic anna" } }],
  ])("(%s) the socket is closed with 1008", async (_what, options) => {
    const client = await connect((await start()).url, options);
    expect(await client.closed).toEqual({ code: 1008, reason: "unauthorized" });
    expect(client.frames).toEqual([]);
  });

  it("while keys cannot be read the client is to come later, and keeps its token", async () => {
    const client = await connect((await start()).url, { token: "later" });
    expect((await client.closed).code).toBe(1013);
  });

  it("takes the token from the Authorization header as well", async () => {
    const headers = { authorization: "Bearer anna" };
    const client = await connect((await start()).url, { headers });
    expect((await client.next()).type).toBe("connected");
    await client.close();
  });

  it("closes with 1008 when the token runs out", async () => {
    const node = await start();
    const client = await node.connect("anna/60000");
    await client.next("connected");
    node.clock.advance(59_000);
    client.send({ type: "nonsense" });
    await client.next("error");
    node.clock.advance(1_000);
    expect(await client.closed).toEqual({ code: 1008, reason: "token expired" });
  });
});

describe("an address whose tokens do not verify", () => {
  const FIVE_MINUTES_MS = 5 * 60_000;

  async function startCounting(settings: Partial<GatewaySettings> = {}): Promise<TestNode> {
    const clock = createManualClock();
    const failedLogins = createFailedLogins({ clock, logger: createSilentLogger(), enabled: true });
    const node = await startTestNode({ ...store, clock, settings, failedLogins });
    nodes.push(node);
    return node;
  }

  const codeOf = async (node: TestNode, options: ConnectOptions = {}): Promise<number> =>
    (await (await node.connect("wrong", options)).closed).code;

  async function fail(node: TestNode, times: number, options?: ConnectOptions): Promise<number[]> {
    const codes = [];
    for (let time = 0; time < times; time += 1) codes.push(await codeOf(node, options));
    return codes;
  }

  it("is told 1013 after ten of them, for five minutes", async () => {
    const node = await startCounting();
    expect(await fail(node, 12)).toEqual([...Array.from({ length: 10 }, () => 1008), 1013, 1013]);
    expect(await (await node.connect("wrong")).closed).toEqual({
      code: 1013,
      reason: "too many tokens did not verify",
    });
    node.clock.advance(FIVE_MINUTES_MS);
    expect(await codeOf(node)).toBe(1008);
  });

  it("still opens sockets with tokens that do: a school shares one", async () => {
    const node = await startCounting();
    await fail(node, 11);
    const client = await node.connect("anna");
    expect((await client.next()).type).toBe("connected");
    await client.close();
  });

  it("is the one that the proxies in front have seen, and not the one that a client claims", async () => {
    const node = await startCounting({ trustedProxies: 1 });
    const via = (path: string) => ({ headers: { "x-forwarded-for": path } });
    await fail(node, 5, via("203.0.113.7"));
    await fail(node, 5, via("198.51.100.1, 203.0.113.7"));
    expect(await codeOf(node, via("198.51.100.2, 203.0.113.7"))).toBe(1013);
    expect(await codeOf(node, via("203.0.113.7, 198.51.100.2"))).toBe(1008);
    expect(await codeOf(node)).toBe(1008);
  });

  it("cannot hide behind a header while no proxy is trusted", async () => {
    const node = await startCounting();
    for (let time = 0; time < 10; time += 1) {
      await codeOf(node, { headers: { "x-forwarded-for": `203.0.113.${time}` } });
    }
    expect(await codeOf(node, { headers: { "x-forwarded-for": "203.0.113.99" } })).toBe(1013);
  });
});

describe("the way in", () => {
  it("is no other path", async () => {
    const node = await start();
    await expect(node.connect("anna", { path: "/ws/other" })).rejects.toThrow("404");
    await expect(node.connect("anna", { path: "/" })).rejects.toThrow("404");
  });

  it("is open to listed origins and to clients without one", async () => {
    const node = await start({ allowedOrigins: ["https://school.example"] });
    await expect(node.connect("anna", from("https://evil.example"))).rejects.toThrow("403");
    const listed = await node.connect("anna", from("https://school.example"));
    const plain = await node.connect("anna");
    expect((await listed.next()).type).toBe("connected");
    expect((await plain.next()).type).toBe("connected");
    await listed.close();
    await plain.close();
  });

  it("is closed to more sockets of a user than allowed", async () => {
    const node = await start({ maxConnectionsPerUser: 2 });
    const kept = [await node.connect("anna"), await node.connect("anna")];
    expect((await (await node.connect("anna")).closed).code).toBe(1013);
    const other = await node.connect("bo");
    expect((await other.next()).type).toBe("connected");
    await kept[0]?.close();
    const again = await node.connect("anna");
    expect((await again.next()).type).toBe("connected");
  });

  it("is closed to more sockets than the node holds", async () => {
    const node = await start({ maxConnections: 2 });
    await node.connect("anna");
    await node.connect("bo");
    expect(await (await node.connect("cy")).closed).toEqual({
      code: 1013,
      reason: "too many connections",
    });
  });

  it("is closed with 1011 while Redis is away", async () => {
    const node = await start();
    node.cutCommands();
    const client = await node.connect("anna");
    expect(await client.closed).toEqual({ code: 1011, reason: "history unavailable" });
  });
});

async function flood(node: TestNode): Promise<TestClient> {
  const client = await node.connect("anna");
  await client.next("connected");
  for (let index = 0; index < 1_001; index += 1) client.send({ type: "pong" });
  client.send("?");
  return client;
}

describe("what a client sends", () => {
  it.each([
    ["no JSON", "hello", "invalid_frame"],
    ["JSON that is no object", "[1]", "invalid_frame"],
    ["null", "null", "invalid_frame"],
    ["an object without a type", "{}", "invalid_frame"],
    ["a binary frame", Buffer.from('{"type":"pong"}'), "invalid_frame"],
    ["an ack without a replay id", '{"type":"ack"}', "invalid_frame"],
    ["an ack of a number", '{"type":"ack","replay_id":5}', "invalid_frame"],
    ["an unknown type", '{"type":"subscribe"}', "unknown_frame_type"],
    ["a type that is no text", '{"type":7}', "unknown_frame_type"],
  ])("(%s) is answered with an error, and the socket stays", async (_what, frame, code) => {
    const client = await (await start()).connect("anna");
    client.send(frame);
    expect(await client.next("error")).toMatchObject({ code });
    client.send("again");
    expect(await client.next("error")).toMatchObject({ code: "invalid_frame" });
    await client.close();
  });

  it("may be 4 KB and no more", async () => {
    const client = await (await start()).connect("anna");
    client.send("x".repeat(4_096));
    expect(await client.next("error")).toMatchObject({ code: "invalid_frame" });
    client.send("x".repeat(4_097));
    expect((await client.closed).code).toBe(1009);
  });

  it("may be 20 frames in 10 s, pongs and acks not counted", async () => {
    const node = await start();
    const client = await node.connect("anna");
    await client.next("connected");
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 20; index += 1) client.send("?");
      for (let index = 0; index < 100; index += 1) client.send({ type: "pong" });
      for (let index = 0; index < 100; index += 1) client.send({ type: "ack", replay_id: "1" });
      for (let index = 0; index < 20; index += 1) await client.next("error");
      node.clock.advance(10_000);
    }
    for (let index = 0; index < 21; index += 1) client.send("?");
    expect(await client.closed).toEqual({ code: 1013, reason: "too many messages" });
  });

  it("is bounded for pongs too, unless limits are off", async () => {
    expect((await (await flood(await start())).closed).code).toBe(1013);
    const free = await flood(await start({ limitInbound: false }));
    expect(await free.next("error")).toMatchObject({ code: "invalid_frame" });
  });
});

describe("heartbeats", () => {
  it("come every 30 s, and a client that answers stays", async () => {
    const node = await start();
    const client = await node.connect("anna");
    await client.next("connected");
    for (let beat = 1; beat <= 5; beat += 1) {
      node.clock.advance(30_000);
      const frame = await client.next("heartbeat");
      expect(frame["timestamp"]).toBe(new Date(node.clock.now()).toISOString());
      client.send({ type: "pong" });
      client.send("?");
      await client.next("error");
    }
  });

  it("not answered for 90 s close the socket with 1011, whatever else is sent", async () => {
    const node = await start();
    const client = await node.connect("anna");
    await client.next("connected");
    node.clock.advance(89_000);
    client.send({ type: "ack", replay_id: "1" });
    client.send("?");
    await client.next("error");
    node.clock.advance(1_000);
    expect(await client.closed).toEqual({ code: 1011, reason: "heartbeat missed" });
  });
});
