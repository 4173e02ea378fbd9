/** One-time tickets: a socket without a token in its address, opened once and never again. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createFailedLogins } from "../../src/auth/failed-logins.ts";
import { TICKET_TTL_MS } from "../../src/auth/tickets.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { startProduct } from "../support/product.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { connect, type TestClient } from "../support/websocket-client.ts";
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

async function start(nodeId = "n1"): Promise<TestNode> {
  const node = await startTestNode({ ...store, nodeId });
  nodes.push(node);
  return node;
}

const buy = async (node: TestNode, userId = "anna", lifetimeMs = 3_600_000): Promise<string> => {
  const expiresAt = node.clock.now() + lifetimeMs;
  return (await node.tickets.issue({ userId, expiresAt })).ticket;
};

const isIn = async (client: TestClient): Promise<boolean> =>
  await client.next("connected").then(
    () => true,
    () => false,
  );

describe("a ticket", () => {
  it("opens one socket, for the person who bought it", async () => {
    const node = await start();
    const ticket = await buy(node);
    const client = await connect(node.url, { ticket });
    expect(await isIn(client)).toBe(true);
    expect(node.gateway.size()).toEqual({ users: 1, connections: 1 });
    const again = await connect(node.url, { ticket });
    expect(await again.closed).toEqual({ code: 1008, reason: "unauthorized" });
    await client.close();
  });

  it("lets in one of many who come with it at the same time, at whichever node", async () => {
    const [one, other] = [await start("n1"), await start("n2")];
    const ticket = await buy(one);
    const urls = Array.from({ length: 10 }, (_each, index) => (index % 2 ? one : other).url);
    const clients = await Promise.all(urls.map((url) => connect(url, { ticket })));
    const letIn = await Promise.all(clients.map(isIn));
    expect(letIn.filter((each) => each)).toHaveLength(1);
    for (const client of clients) await client.close();
  });

  it("is let go of by Redis when its time is over", async () => {
    const node = await start();
    await buy(node);
    const [key = ""] = await store.redis.keys(`${store.keyspace.plain("ticket:")}*`);
    const left = await store.redis.pttl(key);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(TICKET_TTL_MS);
    expect(await store.redis.unlink(key)).toBe(1);
  });

  it("cannot be read from Redis", async () => {
    const node = await start();
    const ticket = await buy(node);
    const keys = await store.redis.keys(`${store.keyspace.plain("ticket:")}*`);
    const values = await Promise.all(keys.map((key) => store.redis.get(key)));
    expect(values.length).toBeGreaterThan(0);
    expect(JSON.stringify([keys, values])).not.toContain(ticket);
  });

  it("opens a socket that ends when the token does that bought it", async () => {
    const node = await start();
    const client = await connect(node.url, { ticket: await buy(node, "anna", 60_000) });
    await client.next("connected");
    node.clock.advance(59_000);
    client.send({ type: "nonsense" });
    await client.next("error");
    node.clock.advance(1_000);
    expect(await client.closed).toEqual({ code: 1008, reason: "token expired" });
  });

  it("opens none once the token has ended that bought it, and says so when it is sold", async () => {
    const node = await start();
    const expiresAt = node.clock.now() + 5_000;
    const bought = await node.tickets.issue({ userId: "anna", expiresAt });
    expect(bought.expiresAt).toBe(expiresAt);
    node.clock.advance(5_000);
    const client = await connect(node.url, { ticket: bought.ticket });
    expect(await client.closed).toEqual({ code: 1008, reason: "unauthorized" });
  });

  it.each(["", "made-up", "x".repeat(43), "*".repeat(43), "y".repeat(8_000)])(
    "that nobody gave out (%#) opens nothing, whatever else the address says",
    async (ticket) => {
      const node = await start();
      const client = await connect(node.url, { ticket, token: "anna" });
      expect(await client.closed).toEqual({ code: 1008, reason: "unauthorized" });
    },
  );

  it("is to be kept while Redis is away: whoever has one comes later", async () => {
    const node = await start();
    const ticket = await buy(node);
    node.cutCommands();
    const client = await connect(node.url, { ticket });
    expect((await client.closed).code).toBe(1013);
  });

  it("that is wrong again and again holds its address back, as wrong tokens do", async () => {
    const alerts: string[] = [];
    const failedLogins = createFailedLogins({
      clock: { now: () => 0 },
      logger: createSilentLogger(),
      enabled: true,
      onAlert: (ip) => void alerts.push(ip),
    });
    const node = await startTestNode({ ...store, failedLogins });
    nodes.push(node);
    const codes: number[] = [];
    for (let time = 0; time < 11; time += 1) {
      const client = await connect(node.url, { ticket: "x".repeat(43) });
      codes.push((await client.closed).code);
    }
    expect(codes).toEqual([...Array.from({ length: 10 }, () => 1008), 1013]);
    expect(alerts).toHaveLength(1);
  });
});

describe("POST /ws/ticket", () => {
  it("sells one for a token, and what is sent then arrives", async () => {
    const product = await startProduct();
    try {
      const as = await product.token("anna", []);
      const sold = await product.call("POST", "/ws/ticket", { as });
      expect(sold.status).toBe(200);
      expect(sold.headers.get("cache-control")).toBe("no-store");
      const until = Date.parse(String(sold.body["expires_at"])) - Date.now();
      expect(until).toBeGreaterThan(0);
      expect(until).toBeLessThanOrEqual(TICKET_TTL_MS + 1_000);

      const ticket = String(sold.body["ticket"]);
      const client = await connect(product.webSocketUrl, { ticket, ack: true });
      await client.next("connected");
      await product.notify({
        user_id: "anna",
        template_id: "announcement",
        data: { title: "Good morning", body: "The first bell rings at eight." },
      });
      expect(await client.nextNotification()).toMatchObject({ title: "Good morning" });
      await client.close();

      const stranger = await product.call("POST", "/ws/ticket", { as: "" });
      expect(stranger.status).toBe(401);
      const unused = String((await product.call("POST", "/ws/ticket", { as })).body["ticket"]);
      const asToken = await product.call("GET", "/preferences", { as: unused });
      expect(asToken.status).toBe(401);
    } finally {
      await product.stop();
    }
  });
});
