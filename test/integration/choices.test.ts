/** When and how people want it: schedules, expiry, cancelling, preferences, quiet hours, floods. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { connect } from "../support/websocket-client.ts";
import { announcementFor, classCreatedFor, matchingFor, meetingFor, someone } from "./requests.ts";

const PHONE = "+46701234567";
let product: Product;

beforeAll(async () => {
  product = await startProduct({ DUE_POLL_MS: "20" });
});

afterAll(async () => {
  await product.stop();
});

const inMs = (ms: number): string => new Date(product.foundation.clock.now() + ms).toISOString();

async function statusOf(id: unknown) {
  return (await product.call("GET", `/notifications/${String(id)}`)).body;
}

async function prefer(userId: string, preferences: unknown) {
  const as = await product.token(userId, []);
  const answer = await product.call("PUT", "/preferences", { body: preferences, as });
  expect(answer.status).toBe(200);
}

describe("a scheduled notification", () => {
  it("is sent when its time has come", async () => {
    const userId = someone();
    const tab = await connect(product.webSocketUrl, { token: await product.token(userId) });
    await tab.next("connected");
    const later = { ...announcementFor(userId), send_at: inMs(2_000) };
    const answer = await product.call("POST", "/notify", { body: later });
    expect(answer.body).toMatchObject({ status: "scheduled", estimated_delivery: later.send_at });
    const frame = await tab.nextNotification();
    expect(frame["notification_id"]).toBe(answer.body["notification_id"]);
    expect(product.foundation.clock.now()).toBeGreaterThanOrEqual(Date.parse(later.send_at));
    await tab.close();
  });

  it("with a past time is sent now", async () => {
    const answer = await product.notify({ ...announcementFor(someone()), send_at: inMs(-60_000) });
    expect(answer.body["status"]).toBe("stored");
  });

  it("can be cancelled, once, by its sender", async () => {
    const later = { ...announcementFor(someone()), send_at: inMs(3_600_000) };
    const { body } = await product.call("POST", "/notify", { body: later });
    const path = `/notifications/${String(body["notification_id"])}`;
    const stranger = await product.token("stranger", []);
    expect((await product.call("DELETE", path, { as: stranger })).status).toBe(404);
    const cancelled = await product.call("DELETE", path);
    expect(cancelled.status).toBe(200);
    expect(cancelled.body["status"]).toBe("cancelled");
    // Not a time in the future, at which nothing will come.
    const ended = Date.parse(String(cancelled.body["estimated_delivery"]));
    expect(ended).toBeLessThanOrEqual(product.foundation.clock.now());
    expect((await product.call("DELETE", path)).body["code"]).toBe("not_cancellable");
  });

  it("that was sent cannot be cancelled", async () => {
    const { body } = await product.notify(announcementFor(someone()));
    const answer = await product.call(
      "DELETE",
      `/notifications/${String(body["notification_id"])}`,
    );
    expect(answer.status).toBe(409);
  });
});

describe("what became of it", () => {
  it("is told to its sender, its recipient and administrators, and to nobody else", async () => {
    const userId = someone();
    const { body } = await product.notify(announcementFor(userId));
    const path = `/notifications/${String(body["notification_id"])}`;
    const read = async (user: string, scopes: string[]) =>
      (await product.call("GET", path, { as: await product.token(user, scopes) })).status;
    expect(await read(userId, [])).toBe(200);
    expect(await read("someone-else", ["notify:send"])).toBe(404);
    expect(await read("boss", ["admin"])).toBe(200);
    expect((await product.call("GET", "/notifications/not-an-id")).status).toBe(404);
    const { timeline } = (await product.call("GET", path)).body as { timeline: { to: string }[] };
    expect(timeline.map((entry) => entry.to)).toEqual(["queued", "skipped", "skipped", "stored"]);
  });
});

describe("a notification whose time has passed", () => {
  it("expires instead of ringing", async () => {
    const body = { ...meetingFor(someone(), PHONE), send_at: inMs(600), expires_at: inMs(601) };
    const answer = await product.notify(body);
    expect(answer.body).toMatchObject({
      status: "expired",
      channels: { websocket: "expired", push: "expired", sms: "expired" },
    });
  });

  it("expires by its own deadline where the template says so", async () => {
    const request = matchingFor(someone(), PHONE);
    const data = { ...request.data, deadline_timestamp: "2026-01-01T00:00:00Z" };
    expect((await product.notify({ ...request, data })).body["status"]).toBe("expired");
  });
});

describe("preferences", () => {
  it("are the user's own, or an administrator's to set", async () => {
    const userId = someone();
    const mine = { locale: "sv", timezone: "Europe/Stockholm", phone_number: PHONE };
    await prefer(userId, mine);
    const read = await product.call("GET", "/preferences", { as: await product.token(userId, []) });
    expect(read.body).toEqual({ ...mine, channels: { websocket: true, push: true, sms: true } });
    const stranger = await product.token("stranger", ["notify:send"]);
    const path = `/preferences?user_id=${userId}`;
    expect((await product.call("GET", path, { as: stranger })).status).toBe(403);
    const admin = await product.token("boss", ["admin"]);
    expect((await product.call("GET", path, { as: admin })).body["locale"]).toBe("sv");
    const wrong = { quiet_hours: { from: "25:00", to: "07:00" } };
    const as = await product.token(userId, []);
    expect((await product.call("PUT", "/preferences", { body: wrong, as })).status).toBe(400);
  });

  it("choose the language, unless the request does", async () => {
    const userId = someone();
    await prefer(userId, { locale: "ar" });
    const tab = await connect(product.webSocketUrl, { token: await product.token(userId) });
    await tab.next("connected");
    await product.notify(classCreatedFor(userId));
    expect(await tab.nextNotification()).toMatchObject({ locale: "ar", dir: "rtl" });
    await product.notify({ ...classCreatedFor(userId), locale: "fr-CA" });
    expect(await tab.nextNotification()).toMatchObject({ locale: "fr", dir: "ltr" });
    await tab.close();
  });

  it("give the number an SMS goes to", async () => {
    const userId = someone();
    await prefer(userId, { phone_number: PHONE });
    expect((await product.notify(meetingFor(userId))).body["channels"]).toMatchObject({
      sms: "delivered",
    });
  });

  it("turn channels off; a critical matter still rings browsers, but no phone", async () => {
    const userId = someone();
    await prefer(userId, { channels: { websocket: false, push: false, sms: false } });
    const tab = await connect(product.webSocketUrl, { token: await product.token(userId) });
    await tab.next("connected");
    const plain = await product.notify(meetingFor(userId, PHONE));
    expect(plain.body).toMatchObject({
      status: "stored",
      channel_details: {
        websocket: { reason: "preference" },
        push: { reason: "preference" },
        sms: { reason: "preference" },
      },
    });
    const critical = await product.notify(matchingFor(userId, PHONE));
    expect(critical.body["channels"]).toMatchObject({ websocket: "delivered", sms: "skipped" });
    await tab.close();
    const offline = await product.notify(matchingFor(userId, PHONE));
    expect(offline.body["channel_details"]).toMatchObject({ sms: { reason: "preference" } });
  });

  it("that cannot be read any more hold up nobody", async () => {
    const { keyspace, redis } = product.foundation;
    const unlucky = someone("unlucky");
    const key = keyspace.sharded(keyspace.shardOfUser(unlucky), `prefs:${unlucky}`);
    await redis.hset(key, "preferences", "e1:c2VhbGVkIHdpdGggYSBrZXkgdGhhdCB3YXMgbG9zdA==");
    const both = [announcementFor(unlucky), announcementFor(someone())];
    const sent = await product.call("POST", "/notify/bulk", { body: { notifications: both } });
    const results = sent.body["results"] as { notification_id: string }[]; // as documented
    for (const { notification_id } of results) {
      await expect.poll(async () => (await statusOf(notification_id))["status"]).toBe("stored");
    }
  });

  it("hold push and SMS back in quiet hours, never a critical one", async () => {
    const userId = someone();
    await prefer(userId, { phone_number: PHONE, quiet_hours: { from: "00:00", to: "23:59" } });
    const sent = await product.call("POST", "/notify", { body: meetingFor(userId) });
    await expect
      .poll(async () => (await statusOf(sent.body["notification_id"]))["timeline"])
      .toContainEqual(expect.objectContaining({ reason: "quiet_hours" }));
    expect(await statusOf(sent.body["notification_id"])).toMatchObject({
      status: "queued",
      channels: { websocket: "skipped", push: "queued", sms: "queued" },
    });
    const critical = await product.notify(matchingFor(userId, PHONE));
    expect(critical.body["channels"]).toMatchObject({ sms: "delivered" });
    const soon = { ...meetingFor(someone()), user_id: userId, expires_at: inMs(60_000) };
    expect((await product.notify(soon)).body["channel_details"]).toMatchObject({
      push: { reason: "quiet_hours" },
      sms: { reason: "quiet_hours" },
    });
  });
});

describe("the reserved recipients", () => {
  it.each([
    ["delivered", "delivered", "delivered", "skipped", "skipped"],
    ["push", "delivered", "skipped", "delivered", "skipped"],
    ["sms", "delivered", "skipped", "skipped", "delivered"],
    ["gone", "delivered", "skipped", "failed", "delivered"],
    ["rejected", "failed", "skipped", "failed", "failed"],
    ["unknown", "failed", "skipped", "skipped", "failed"],
    ["stored", "stored", "skipped", "skipped", "skipped"],
  ])("test-%s@sandbox ends %s", async (word, status, websocket, push, sms) => {
    const answer = await product.notify(meetingFor(`test-${word}@sandbox`));
    expect(answer.body).toMatchObject({ status, channels: { websocket, push, sms } });
  });
});
