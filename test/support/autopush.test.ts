/** Our autopush behaves as the real one, or what the tests with a real browser prove is worth nothing. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import webPush from "web-push";
import { WebSocket } from "ws";
import { z } from "zod";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { startAutopush, type Autopush } from "./autopush.ts";
import { createArrivals } from "./provider-server.ts";

const vapid = { ...makeVapidPair(), subject: "mailto:operator@school.example" };
const frameSchema = z.record(z.string(), z.unknown());
type Frame = z.infer<typeof frameSchema>;

let now = Date.UTC(2026, 8, 1);
let autopush: Autopush;
const sockets: WebSocket[] = [];

beforeEach(async () => {
  autopush = await startAutopush(() => now);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await autopush.close();
});

interface Client {
  readonly uaid: string;
  send(message: object): void;
  next(): Promise<Frame>;
  register(key?: string): Promise<{ channelID: string; endpoint: string }>;
  leave(): Promise<void>;
}

async function connect(uaid?: string): Promise<Client> {
  const socket = new WebSocket(autopush.serverUrl, "push-notification");
  sockets.push(socket);
  const frames = createArrivals<Frame>();
  socket.on("message", (data: Buffer) => {
    frames.add(frameSchema.parse(JSON.parse(data.toString("utf8"))));
  });
  const send = (message: object): void => socket.send(JSON.stringify(message));
  await once(socket, "open");
  send({ messageType: "hello", use_webpush: true, broadcasts: {}, ...(uaid && { uaid }) });
  const hello = await frames.next();
  expect(hello).toMatchObject({ messageType: "hello", status: 200, use_webpush: true });
  return {
    uaid: String(hello["uaid"]),
    send,
    next: frames.next,
    async register(key = vapid.publicKey) {
      const channelID = randomUUID();
      // Padded, as Firefox writes it.
      send({ messageType: "register", channelID, key: `${key}=` });
      const answer = await frames.next();
      expect(answer).toMatchObject({ messageType: "register", status: 200, channelID });
      return { channelID, endpoint: String(answer["pushEndpoint"]) };
    },
    async leave() {
      socket.close();
      await once(socket, "close");
      // The server has seen it too once it takes a new connection and lets it go.
      const after = await connect();
      expect(after.uaid).not.toBe(hello["uaid"]);
    },
  };
}

interface Sending {
  readonly ttl?: number;
  readonly topic?: string;
  readonly keys?: typeof vapid;
  readonly without?: string;
  readonly body?: Buffer;
}

/** Posts as a sender does. @returns the status. */
async function post(endpoint: string, options: Sending = {}): Promise<number> {
  const { ttl = 60, topic, keys = vapid, without, body = Buffer.from("sealed") } = options;
  const signed = webPush.getVapidHeaders(
    new URL(endpoint).origin,
    keys.subject,
    keys.publicKey,
    keys.privateKey,
    "aes128gcm",
  );
  const headers = new Headers({
    ttl: String(ttl),
    "content-encoding": "aes128gcm",
    authorization: signed.Authorization,
    ...(topic === undefined ? {} : { topic }),
  });
  if (without !== undefined) headers.delete(without);
  const answer = await fetch(endpoint, { method: "POST", headers, body: new Uint8Array(body) });
  await answer.arrayBuffer();
  return answer.status;
}

const textOf = (frame: Frame): string => Buffer.from(String(frame["data"]), "base64url").toString();

describe("a post", () => {
  it("is handed to the browser as it came, and answered with 201", async () => {
    const browser = await connect();
    const { channelID, endpoint } = await browser.register();
    expect(await post(endpoint, { topic: "t" })).toBe(201);
    const frame = await browser.next();
    expect(frame).toMatchObject({
      messageType: "notification",
      channelID,
      ttl: 60,
      headers: { encoding: "aes128gcm" },
    });
    expect(textOf(frame)).toBe("sealed");
  });

  it.each([
    ["without a time to live", { without: "ttl" }, 400],
    ["without an encoding", { without: "content-encoding" }, 400],
    ["with a topic of other characters", { topic: "no blanks" }, 400],
    ["without a signature", { without: "authorization" }, 401],
    ["signed with another key", { keys: { ...vapid, ...makeVapidPair() } }, 401],
    ["that is too long", { body: Buffer.alloc(4_097) }, 413],
  ])("%s is refused", async (_what, options, status) => {
    const { endpoint } = await (await connect()).register();
    expect(await post(endpoint, options)).toBe(status);
    expect(autopush.refused).toEqual([{ status, endpoint }]);
  });

  it("to what never was is 404, to what was given up 410", async () => {
    const browser = await connect();
    const { channelID, endpoint } = await browser.register();
    expect(await post(`${endpoint}x`)).toBe(404);
    browser.send({ messageType: "unregister", channelID, code: 200 });
    expect(await browser.next()).toMatchObject({ messageType: "unregister", status: 200 });
    expect(await post(endpoint)).toBe(410);
  });
});

describe("a browser that comes back", () => {
  it("gets what came meanwhile, but not what is too old, replaced or not to be kept", async () => {
    const browser = await connect();
    const { endpoint } = await browser.register();
    await browser.leave();
    const send = (text: string, options: Sending) =>
      post(endpoint, { ...options, body: Buffer.from(text) });
    await send("too old", { ttl: 10 });
    await send("replaced", { topic: "a" });
    await send("not to be kept", { ttl: 0 });
    await send("other", { topic: "b" });
    await send("newest", { topic: "a" });
    now += 11_000;
    const back = await connect(browser.uaid);
    expect(back.uaid).toBe(browser.uaid);
    expect([textOf(await back.next()), textOf(await back.next())]).toEqual(["other", "newest"]);
    back.send({});
    expect(await back.next()).toEqual({});
  });

  it("gets again what it did not acknowledge, and only that", async () => {
    const browser = await connect();
    const { channelID, endpoint } = await browser.register();
    await post(endpoint, { body: Buffer.from("seen") });
    await post(endpoint, { body: Buffer.from("lost on the way") });
    const version = String((await browser.next())["version"]);
    browser.send({ messageType: "ack", updates: [{ channelID, version, code: 100 }] });
    expect(await autopush.ackOf(version)).toMatchObject({ version, code: 100 });
    await browser.leave();
    const back = await connect(browser.uaid);
    expect(textOf(await back.next())).toBe("lost on the way");
  });

  it("is a new one once it was forgotten: what it had is gone", async () => {
    const browser = await connect();
    const { endpoint } = await browser.register();
    autopush.forgetBrowsers();
    const back = await connect(browser.uaid);
    expect(back.uaid).not.toBe(browser.uaid);
    expect(await post(endpoint)).toBe(410);
  });
});
