/** The product as a process: what it says at start, what it never logs, and how it takes its leave. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { startChildProduct, type ChildProduct } from "../support/child-product.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { connect } from "../support/websocket-client.ts";
import { meetingFor, someone } from "./requests.ts";

const SECRET = "a-secret-for-this-process-that-is-long-enough-for-hs256";
const PHONE = "+46701234567";

let store: TestRedis;
let dataDir: string;
let env: Record<string, string>;
const children: ChildProduct[] = [];

function start(changes: Record<string, string> = {}): ChildProduct {
  const child = startChildProduct({ ...env, ...changes });
  children.push(child);
  return child;
}

beforeEach(async () => {
  store = await openTestRedis();
  dataDir = await mkdtemp(path.join(tmpdir(), "schoolbell-"));
  env = {
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    DATA_DIR: dataDir,
    REDIS_URL: store.url,
    KEY_PREFIX: store.prefix,
    SHARDS: String(store.keyspace.shards),
    JWT_SECRET_KEY: SECRET,
    LOG_LEVEL: "debug",
  };
});

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
  await store.close();
  await rm(dataDir, { recursive: true });
});

async function notify(url: string, body: unknown, headers: Record<string, string> = {}) {
  const token = await createTokenSigner(SECRET).sign({
    userId: "service",
    scopes: ["notify:send"],
    ttlSeconds: 60,
  });
  return await fetch(`${url}/notify`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...headers,
    },
  });
}

describe("a process that is asked to stop", () => {
  it("tells its sockets to come back, answers who waits, and ends well", async () => {
    const child = start();
    const url = await child.url;
    const userId = someone();
    const token = await createTokenSigner(SECRET).sign({ userId, scopes: [], ttlSeconds: 60 });
    const tab = await connect(url.replace(/^http/, "ws"), { token });
    await tab.next("connected");
    // It cannot settle while the process runs: it is scheduled for later.
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const waiting = notify(url, { ...meetingFor(userId), send_at: later }, { prefer: "wait=30" });
    // Once another request was answered, the first one has been taken in too.
    await expect.poll(async () => await store.redis.zcard(dueKey(userId))).toBe(1);

    const stopped = child.stop();
    expect(await tab.next("going_away")).toMatchObject({ retry_after_ms: expect.any(Number) });
    expect((await tab.closed).code).toBe(1001);
    const answer = await waiting;
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ status: "scheduled" });
    expect(await stopped).toBe(0);
  });

  function dueKey(userId: string): string {
    return store.keyspace.sharded(store.keyspace.shardOfUser(userId), "due");
  }
});

describe("the log", () => {
  it("holds no token, number, name or text", async () => {
    const child = start();
    const url = await child.url;
    const userId = someone();
    const token = await createTokenSigner(SECRET).sign({ userId, scopes: [], ttlSeconds: 60 });
    const tab = await connect(url.replace(/^http/, "ws"), { token });
    await tab.next("connected");
    await tab.close();
    const answer = await notify(url, meetingFor(userId, PHONE), { prefer: "wait=10" });
    expect(await answer.json()).toMatchObject({ channels: { sms: "delivered" } });
    const refused = await fetch(`${url}/analytics?token=${token}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(refused.status).toBe(403);
    expect(await child.stop()).toBe(0);

    const log = child.log();
    expect(log).toContain("delivery.attempted");
    for (const secret of [token, SECRET, PHONE, "Sarah", "Conference Room"]) {
      expect(log).not.toContain(secret);
    }
  });
});

describe("a process that is set up wrongly", () => {
  it("says so and ends: an address that is taken", async () => {
    const port = new URL(await start().url).port;
    const second = start({ PORT: port });
    await expect(second.url).rejects.toThrow(`PORT ${port} is in use`);
    expect(second.log()).not.toContain("    at ");
  });

  it.each([
    ["a port that is none", { PORT: "http" }, "PORT"],
    ["an unknown role", { ROLES: "api,postman" }, "unknown role postman"],
    ["half a pair of keys", { VAPID_PUBLIC_KEY: "x" }, "VAPID_PRIVATE_KEY"],
    ["another shard count than its Redis", { SHARDS: "7" }, "SHARDS=4"],
    ["production without its secrets", { NODE_ENV: "production" }, "DATA_ENCRYPTION_KEY"],
    ["templates that are not there", { TEMPLATES_DIR: "no-such-folder" }, "no-such-folder"],
  ])("says so and ends: %s", async (_name, changes, named) => {
    if ("SHARDS" in changes) await store.redis.set(store.keyspace.plain("shards"), 4);
    const child = start(changes);
    await expect(child.url).rejects.toThrow(named);
    expect(child.log()).not.toContain("    at ");
  });
});

/** A port that nothing listens on, for now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

async function statusOf(url: string): Promise<number> {
  return (await fetch(url).catch(() => undefined))?.status ?? 0;
}

describe("a process whose Redis is not there", () => {
  it("lives, says what it waits for, answers 503, and works once Redis comes", async () => {
    const redisPort = await freePort();
    const port = await freePort();
    const child = start({ REDIS_URL: `redis://127.0.0.1:${redisPort}`, PORT: String(port) });
    const url = `http://127.0.0.1:${port}`;
    const patience = { timeout: 15_000 };
    await expect.poll(async () => await statusOf(`${url}/health/live`), patience).toBe(200);
    expect(await statusOf(`${url}/health`)).toBe(200);
    expect(await statusOf(`${url}/health/ready`)).toBe(503);
    expect(await statusOf(`${url}/preferences`)).toBe(503);
    await expect.poll(() => child.log(), patience).toContain("waiting for Redis");

    const { hostname, port: storePort } = new URL(store.url);
    const gate = createServer((socket) => {
      const onward = connectTcp(Number(storePort), hostname);
      socket.pipe(onward).pipe(socket);
      for (const end of [socket, onward]) end.on("error", () => {});
    }).listen(redisPort, "127.0.0.1");
    await child.url;
    await expect.poll(async () => await statusOf(`${url}/health/ready`), patience).toBe(200);
    await child.kill();
    gate.close();
  });

  it("ends when Redis refuses its password", async () => {
    const { host } = new URL(store.url);
    const child = start({ REDIS_URL: `redis://nobody:wrong@${host}` });
    await expect(child.url).rejects.toThrow("REDIS_URL");
    expect(child.log()).not.toContain("wrong");
    expect(child.log()).not.toContain("    at ");
  });
});
