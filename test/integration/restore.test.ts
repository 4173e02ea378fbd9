/**
 * Redis comes back from a backup, as docs/OPERATIONS.md says how: no replay id is given out again,
 * clients hear of the gap, and no phone rings for what was sent since.
 */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launchServer, endServer } from "../../src/platform/embedded-redis-process.ts";
import { createKeyspace } from "../../src/platform/keyspace.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { waitForRedis } from "../../src/platform/redis-wait.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { runCli } from "../cli/run-cli.ts";
import { startProduct, type Product } from "../support/product.ts";
import type { TestRedis } from "../support/redis.ts";
import { startTwilio, type TwilioService } from "../support/twilio.ts";
import { connect } from "../support/websocket-client.ts";
import { startRedisServer, type RedisServer } from "../trace/redis-server.ts";
import { announcementFor, meetingFor, someone } from "./requests.ts";

const PREFIX = "restore:";
const SHARDS = 4;

let server: RedisServer;
let twilio: TwilioService;
let backup: string;
let product: Product | undefined;
let redis: Redis;

beforeAll(async () => {
  [server, twilio] = await Promise.all([startRedisServer(() => {}), startTwilio()]);
  backup = await mkdtemp(path.join(tmpdir(), "schoolbell-backup-"));
  redis = connectRedis(server.url, "command");
  await waitForRedis(redis, createSilentLogger());
});
afterEach(async () => {
  await stopAll();
});
afterAll(async () => {
  redis.disconnect();
  await Promise.all([server.close(), twilio.close(), rm(backup, { recursive: true })]);
});

function corner(): TestRedis {
  return {
    url: server.url,
    prefix: PREFIX,
    keyspace: createKeyspace({ shards: SHARDS, prefix: PREFIX }),
    redis,
    close: async () => {},
  };
}

async function start(env: Record<string, string> = {}): Promise<Product> {
  product = await startProduct(
    {
      ...env,
      TWILIO_ACCOUNT_SID: twilio.accountSid,
      TWILIO_AUTH_TOKEN: twilio.authToken,
      TWILIO_FROM_NUMBER: "+15005550006",
      TWILIO_API_URL: twilio.url,
      DUE_LEASE_MS: "2000",
      PROVIDER_TIMEOUT_MS: "1500",
      DUE_POLL_MS: "50",
    },
    corner(),
  );
  return product;
}

async function stopAll(): Promise<void> {
  const running = product;
  product = undefined;
  await running?.stop();
}

/** The append-only files as they are, while Redis goes on; no rewrite may take them away meanwhile. */
async function backUpFiles(): Promise<void> {
  await redis.config("SET", "auto-aof-rewrite-percentage", "0");
  await expect
    .poll(() => redis.info("persistence"), { timeout: 10_000 })
    .toMatch(/aof_rewrite_in_progress:0/);
  await cp(path.join(server.dir, "appendonlydir"), path.join(backup, "appendonlydir"), {
    recursive: true,
  });
  await redis.config("SET", "auto-aof-rewrite-percentage", "100");
}

async function backUpSnapshot(): Promise<void> {
  const before = await redis.lastsave();
  // Its times are whole seconds.
  await expect.poll(() => redis.time().then(([at]) => Number(at))).toBeGreaterThan(before);
  await redis.bgsave();
  await expect.poll(() => redis.lastsave(), { timeout: 10_000 }).toBeGreaterThan(before);
  await cp(path.join(server.dir, "dump.rdb"), path.join(backup, "dump.rdb"));
}

async function emptyDisk(): Promise<void> {
  await server.end("kill");
  await rm(path.join(server.dir, "appendonlydir"), { recursive: true });
  await rm(path.join(server.dir, "dump.rdb"), { force: true });
}

async function restoreFiles(): Promise<void> {
  await emptyDisk();
  await cp(path.join(backup, "appendonlydir"), path.join(server.dir, "appendonlydir"), {
    recursive: true,
  });
  await comeBack();
}

/** With `appendonly yes` Redis would not look at the snapshot, and begin empty. */
async function restoreSnapshot(): Promise<void> {
  await emptyDisk();
  await cp(path.join(backup, "dump.rdb"), path.join(server.dir, "dump.rdb"));
  const port = Number(new URL(server.url).port);
  const once = launchServer(server.program, { dir: server.dir, port, appendOnly: false });
  await waitForRedis(redis, createSilentLogger());
  await redis.config("SET", "appendonly", "yes");
  await expect
    .poll(() => redis.info("persistence"), { timeout: 10_000 })
    .toMatch(/aof_enabled:1[\s\S]*aof_rewrite_in_progress:0/);
  await endServer(once);
  await comeBack();
}

async function comeBack(): Promise<void> {
  await server.restart();
  await waitForRedis(redis, createSilentLogger());
}

const schoolbell = (...args: string[]) =>
  runCli("schoolbell", args, {
    REDIS_URL: server.url,
    KEY_PREFIX: PREFIX,
    SHARDS: String(SHARDS),
    DUE_LEASE_MS: "2000",
    PROVIDER_TIMEOUT_MS: "1500",
    NODE_ENV: "test",
  });

const textsTo = (phoneNumber: string): number =>
  twilio.received.filter(({ to }) => to === phoneNumber).length;

async function statusOf(id: unknown): Promise<unknown> {
  const { body } = await (product ?? (await start())).call("GET", `/notifications/${String(id)}`);
  return body["status"];
}

let nextNumber = 46_701_740_600;
const newNumber = (): string => `+${(nextNumber += 1)}`;

describe.each([
  ["the append-only files", backUpFiles, restoreFiles],
  ["a snapshot", backUpSnapshot, restoreSnapshot],
])("a Redis that was restored from %s", (_name, backUp, restore) => {
  it("gives out no replay id again, and tells clients what they cannot have", async () => {
    const userId = someone();
    const before = await start();
    const token = await before.token(userId);
    const tab = await connect(before.webSocketUrl, { token });
    const hello = await tab.next("connected");
    for (const title of ["one", "two"]) await before.notify(announcementFor(userId, title));
    for (let got = 0; got < 2; got += 1) await tab.nextNotification();
    await backUp();
    for (const title of ["three", "four"]) await before.notify(announcementFor(userId, title));
    for (let got = 0; got < 2; got += 1) await tab.nextNotification();
    expect(tab.replayIds()).toEqual(["1", "2", "3", "4"]);
    const epoch = String(tab.frames.at(-1)?.["epoch"] ?? hello["epoch"]);
    await tab.close();
    await stopAll();
    await restore();

    const after = await start();
    const again = await connect(after.webSocketUrl, { token, replayFrom: "4", epoch });
    expect(await again.next()).toMatchObject({ type: "connected", replay: "gap" });
    expect(await again.next()).toMatchObject({ type: "replay_gap" });
    // All that there still is, so that nothing of it is missed.
    for (let got = 0; got < 2; got += 1) await again.nextNotification();
    await after.notify(announcementFor(userId, "five"));
    const fifth = await again.nextNotification();
    expect(Number(fifth["replay_id"])).toBeGreaterThan(1_000);
    expect(fifth["epoch"]).not.toBe(epoch);
    await again.close();
  });
});

describe("what was sent after the backup", () => {
  async function schedule(phoneNumber: string, inMs: number): Promise<unknown> {
    const sendAt = new Date(Date.now() + inMs).toISOString();
    const body = { ...meetingFor(someone(), phoneNumber), send_at: sendAt };
    return (await product?.call("POST", "/notify", { body }))?.body["notification_id"];
  }

  /** A message that is unsettled when the backup is made, and reaches its phone after that. */
  async function textAcrossBackup(): Promise<{ id: unknown; phone: string; later: unknown }> {
    await start();
    const phone = newNumber();
    const [id, later] = [await schedule(phone, 8_000), await schedule(newNumber(), 86_400_000)];
    await backUpFiles();
    expect(await statusOf(id)).toBe("scheduled");
    await expect.poll(() => statusOf(id), { timeout: 20_000 }).toBe("delivered");
    expect(textsTo(phone)).toBe(1);
    await stopAll();
    await restoreFiles();
    return { id, phone, later };
  }

  it("is not sent to a phone again where the operator says so, and shows as what may have been sent", async () => {
    const { id, phone, later } = await textAcrossBackup();
    const check = await schoolbell("restore", "check", "--json");
    expect(check.stderr).toBe("");
    const survey: unknown = JSON.parse(check.stdout);
    expect(survey).toMatchObject({ living: 0, unsettled: 2, inDoubt: 1, texts: 1 });
    expect(survey).toHaveProperty("ends_at", expect.stringMatching(/^20/));

    const hold = await schoolbell("restore", "hold-texts", "--yes");
    expect(hold).toMatchObject({ code: 0, stdout: "1 notification was changed.\n" });
    await start();
    await expect.poll(() => statusOf(id), { timeout: 20_000 }).toBe("failed");
    expect(textsTo(phone)).toBe(1);
    expect(await statusOf(later)).toBe("scheduled");
    const list = await schoolbell("dlq", "list", "--reason", "unknown", "--json");
    expect(list.stdout).toContain(String(id));
  });

  it("ends as expired where nothing of it is to be sent", async () => {
    const { id, phone, later } = await textAcrossBackup();
    await start({ ROLES: "gateway" });
    const refused = await schoolbell("restore", "expire", "--yes");
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("stop the roles") });
    await stopAll();
    const expire = await schoolbell("restore", "expire", "--yes");
    expect(expire).toMatchObject({ code: 0, stdout: "1 notification was changed.\n" });
    await start();
    expect(await statusOf(id)).toBe("expired");
    expect(await statusOf(later)).toBe("scheduled");
    expect(textsTo(phone)).toBe(1);
  });
});
