/** A rolling upgrade: this version and the next one on the same data, with nothing lost on either side. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { LEDGER_FORMATS } from "../../src/contract/versions.ts";
import { ConfigError } from "../../src/platform/config.ts";
import { startProduct, type Product } from "../support/product.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { connect } from "../support/websocket-client.ts";
import { announcementFor, someone } from "./requests.ts";

const NEXT = { ...LEDGER_FORMATS, newest: LEDGER_FORMATS.newest + 1, raiseAfterMs: 0 };
/** What a worker does not take up comes again soon. */
const SHORT_LEASE = { DUE_LEASE_MS: "1000", PROVIDER_TIMEOUT_MS: "900", DUE_POLL_MS: "50" };

const ownTexts = mkdtempSync(path.join(tmpdir(), "schoolbell-own-"));
let store: TestRedis;
const running: Product[] = [];

beforeEach(async () => {
  store = await openTestRedis();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((product) => product.stop()));
  await store.close();
});
afterAll(() => rmSync(ownTexts, { recursive: true }));

async function start(env: Record<string, string>, formats = LEDGER_FORMATS): Promise<Product> {
  const product = await startProduct({ ...SHORT_LEASE, ...env }, store, formats);
  running.push(product);
  return product;
}

async function stop(product: Product): Promise<void> {
  running.splice(running.indexOf(product), 1);
  await product.stop();
}

/** How the ledger keeps a note. */
async function recordOf(id: unknown): Promise<string> {
  const { redis, keyspace } = store;
  const shard = keyspace.shardOfNote(String(id)) ?? 0;
  return (await redis.get(keyspace.sharded(shard, `rec:${String(id)}`))) ?? "";
}

/** A template that only the version with this folder knows, and its texts. */
function addTemplate(id: string): Record<string, string> {
  const templates = path.join(ownTexts, "templates");
  const locales = path.join(ownTexts, "locales");
  mkdirSync(path.join(templates, "general"), { recursive: true });
  cpSync("locales", locales, { recursive: true });
  const yaml = readFileSync("templates/general/announcement.yaml", "utf8");
  writeFileSync(
    path.join(templates, "general", `${id}.yaml`),
    yaml.replace("id: announcement", `id: ${id}`),
  );
  for (const language of ["en", "sv"]) {
    const file = path.join(locales, language, "general.json");
    const texts = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>; // ours
    writeFileSync(file, JSON.stringify({ ...texts, [id]: texts["announcement"] }));
  }
  return { TEMPLATES_DIR: templates, LOCALES_DIR: locales };
}

describe("a rolling upgrade to a new form of notes", () => {
  it("delivers on both sides, and writes the new form when nobody is left that cannot read it", async () => {
    const old = await start({});
    const next = await start({}, NEXT);
    const userId = someone();
    const tab = await connect(old.webSocketUrl, { token: await old.token(userId) });
    await tab.next("connected");
    for (const from of [old, next, old, next]) {
      const { body } = await from.notify(announcementFor(userId, "while both run"));
      expect(body).toMatchObject({ status: "delivered" });
      expect(await recordOf(body["notification_id"])).toMatch(/\n=\d+ \d+ delivered/);
      await tab.nextNotification();
    }
    await stop(old);
    // With the next tellings of the census, ten seconds later at most.
    await next.foundation.sideBySide.refresh();
    await next.foundation.sideBySide.refresh();

    const again = await connect(next.webSocketUrl, { token: await next.token(userId) });
    await again.next("connected");
    const { body } = await next.notify(announcementFor(userId, "by the next version alone"));
    expect(body).toMatchObject({ status: "delivered" });
    expect(await recordOf(body["notification_id"])).toMatch(/\n4=\d+ \d+ delivered/);

    const tooOld = start({});
    await expect(tooOld).rejects.toThrow(ConfigError);
    await expect(tooOld).rejects.toThrow(/newer version/);
    await again.close();
  });
});

describe("a notification that only the next version can put into words", () => {
  it("is left alone by this version's worker, and delivered by the next one's", async () => {
    const old = await start({ ROLES: "worker" });
    const own = addTemplate("school_trip");
    const next = await start({ ...own, ROLES: "api,gateway" });
    const userId = someone();
    const tab = await connect(next.webSocketUrl, { token: await next.token(userId) });
    await tab.next("connected");
    const request = { ...announcementFor(userId, "a trip"), template_id: "school_trip" };
    const { status, body } = await next.call("POST", "/notify", { body: request });
    expect(status).toBe(202);
    // The only worker there is does not know the template.
    await expect
      .poll(async () => (await old.foundation.metrics.render()).text, { timeout: 10_000 })
      .toMatch(/schoolbell_left_alone_total\{what="words"\} [1-9]/);
    expect(await recordOf(body["notification_id"])).toMatch(/\n=0 0 queued/);
    await start({ ...own, ROLES: "worker" });
    await stop(old);
    expect(await tab.nextNotification()).toMatchObject({
      title: expect.stringContaining("a trip"),
    });
    await tab.close();
  });

  it("fails once nobody is left that could", async () => {
    const own = addTemplate("school_trip");
    const next = await start({ ...own, ROLES: "api" });
    const userId = someone();
    const request = { ...announcementFor(userId, "a trip"), template_id: "school_trip" };
    const { body } = await next.call("POST", "/notify", { body: request });
    await stop(next);
    await start({ ROLES: "worker" });
    await expect
      .poll(() => recordOf(body["notification_id"]), { timeout: 10_000 })
      .toMatch(/\n=\d+ \d+ failed/);
  });
});

describe("a change of the encryption key", () => {
  const [older, newer] = [1, 2].map((fill) => Buffer.alloc(32, fill).toString("base64"));
  const withKeys = (...keys: (string | undefined)[]) => ({ DATA_ENCRYPTION_KEY: keys.join(",") });

  it("loses nothing that waits, at any of its steps", async () => {
    const userId = someone();
    const first = await start(withKeys(older));
    const sendAt = new Date(Date.now() + 60_000).toISOString();
    const request = { ...announcementFor(userId, "sealed before"), send_at: sendAt };
    const { body } = await first.call("POST", "/notify", { body: request });
    const preferences = {
      locale: "sv",
      timezone: "Europe/Stockholm",
      phone_number: "+46701740605",
    };
    const as = await first.token(userId);
    const put = await first.call("PUT", "/preferences", { as, body: preferences });
    expect(put.status).toBeLessThan(300);
    await stop(first);

    // The key of before is not there yet: this worker leaves alone what it cannot read.
    const stranger = await start({ ...withKeys(newer), ROLES: "worker" });
    const changed = await start({ ...withKeys(newer, older), ROLES: "api,gateway" });
    const { redis, keyspace } = store;
    const shard = keyspace.shardOfUser(userId);
    await redis.zadd(keyspace.sharded(shard, "due"), 1, String(body["notification_id"]));
    await expect
      .poll(async () => (await stranger.foundation.metrics.render()).text, { timeout: 10_000 })
      .toMatch(/schoolbell_left_alone_total\{what="words"\} [1-9]/);
    const tab = await connect(changed.webSocketUrl, { token: await changed.token(userId) });
    await tab.next("connected");
    await stop(stranger);
    await start({ ...withKeys(newer, older), ROLES: "worker" });
    expect(await tab.nextNotification()).toMatchObject({
      title: expect.stringContaining("sealed before"),
      locale: expect.stringMatching(/^sv/),
    });
    const kept = await changed.call("GET", "/preferences", { as });
    expect(kept.body).toMatchObject(preferences);
    await tab.close();
  });
});
