/**
 * An operator's path, with real processes: a push service with a certificate of one's own, and push keys
 * that are changed while browsers are subscribed with the old ones.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createTokenSigner } from "../../src/auth/token-signer.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { runCli } from "../cli/run-cli.ts";
import { startChildProduct, type ChildProduct } from "../support/child-product.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createThrowawayAuthority } from "../support/throwaway-authority.ts";
import { classCreatedFor, someone } from "./requests.ts";

const SECRET = "a-secret-for-push-processes-that-is-long-enough-for-hs256";

let store: TestRedis;
let folder: string;
let service: PushService;
let env: Record<string, string>;
let child: ChildProduct | undefined;

beforeEach(async () => {
  store = await openTestRedis();
  folder = await mkdtemp(path.join(tmpdir(), "schoolbell-"));
  const authority = createThrowawayAuthority();
  await writeFile(path.join(folder, "authority.pem"), authority.ca);
  service = await startPushService({ certificate: authority.server });
  const pair = makeVapidPair();
  env = {
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    PORT: "0",
    DATA_DIR: folder,
    REDIS_URL: store.url,
    KEY_PREFIX: store.prefix,
    SHARDS: String(store.keyspace.shards),
    JWT_SECRET_KEY: SECRET,
    RATE_LIMITS: "off",
    LOG_LEVEL: "debug",
    DUE_POLL_MS: "25",
    PUSH_ALLOWED_HOSTS: service.origin,
    NODE_EXTRA_CA_CERTS: path.join(folder, "authority.pem"),
    VAPID_PUBLIC_KEY: pair.publicKey,
    VAPID_PRIVATE_KEY: pair.privateKey,
  };
});
afterEach(async () => {
  await child?.kill();
  await service.close();
  await store.close();
  await rm(folder, { recursive: true });
});

async function start(): Promise<string> {
  child = startChildProduct(env);
  return await child.url;
}

async function post(url: string, as: string, body: unknown): Promise<Response> {
  const scopes = ["notify:send"];
  const token = await createTokenSigner(SECRET).sign({ userId: as, scopes, ttlSeconds: 60 });
  return await fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  });
}

/** A person with a browser that subscribed as the page does, with the key that it is told of. */
async function subscriber(url: string): Promise<{ userId: string; publicKey: string }> {
  const userId = someone();
  const answer = await fetch(`${url}/push/vapid-public-key`);
  const { public_key: publicKey }: { public_key?: string } = Object(await answer.json());
  if (publicKey === undefined) throw new Error("there is no key to subscribe with");
  const body = { ...service.subscribe(publicKey), application_server_key: publicKey };
  expect((await post(`${url}/push/subscribe`, userId, body)).status).toBe(201);
  return { userId, publicKey };
}

/** The key that the next push to this person is signed with. */
async function keyOfPushTo(url: string, userId: string): Promise<string | undefined> {
  expect((await post(`${url}/notify`, "service", classCreatedFor(userId))).status).toBe(202);
  return (await service.next()).vapid?.key;
}

it("browsers of before and after a change of the push keys both ring", async () => {
  const before = await start();
  const early = await subscriber(before);
  expect(await keyOfPushTo(before, early.userId)).toBe(early.publicKey);
  await child?.stop();

  const { stdout } = await runCli("keys", ["--rotate-vapid"], env);
  for (const line of stdout.trim().split("\n")) {
    const [name = "", ...value] = line.split("=");
    env[name] = value.join("=");
  }
  const after = await start();
  const late = await subscriber(after);
  expect(late.publicKey).not.toBe(early.publicKey);
  expect(await keyOfPushTo(after, late.userId)).toBe(late.publicKey);
  expect(await keyOfPushTo(after, early.userId)).toBe(early.publicKey);
  expect(service.refusals).toEqual([]);
  expect(child?.log()).not.toContain(`${service.origin}/push/`);
}, 60_000);
