/** What service workers say, from the push message to what the sender is told of it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../support/websocket-client.ts";
import { startProduct } from "../support/product.ts";
import {
  PHONE,
  startProductWithProviders,
  type ProductWithProviders,
} from "./product-with-providers.ts";
import { announcementFor, classCreatedFor, matchingFor, someone } from "./requests.ts";

const MAX_WAIT_MS = 10_000;
const HOUR_MS = 3_600_000;
const WARNING = "student_matching_deadline_approaching";

let setup: ProductWithProviders;

beforeAll(async () => {
  setup = await startProductWithProviders({ AUTO_DEADLINE_WARNINGS: "true" });
});
afterAll(async () => {
  await setup.stop();
});

interface Pushed {
  readonly id: string;
  readonly receipt: string;
  readonly payload: Record<string, unknown>;
}

/** What the browser got of this notification. */
async function payloadOf(id: string): Promise<Record<string, unknown>> {
  const payloads = () =>
    setup.pushService.received.map(({ payload }): Record<string, unknown> =>
      Object(JSON.parse(payload)),
    );
  const find = () => payloads().find((payload) => payload["notification_id"] === id);
  await expect.poll(find, { timeout: MAX_WAIT_MS }).toBeDefined();
  return find() ?? {};
}

/** Sends, and hands over what the browser of this person got. */
async function pushTo(body: { user_id: string; [field: string]: unknown }): Promise<Pushed> {
  await setup.subscribe(body.user_id);
  const { body: answer } = await setup.product.notify(body);
  const id = String(answer["notification_id"]);
  const payload = await payloadOf(id);
  return { id, receipt: String(payload["receipt"]), payload };
}

/** As a service worker posts it: without a token. */
const post = (receipt: string, event: string, more: object = {}) =>
  setup.product.call("POST", "/receipts", { body: { receipt, event, ...more }, as: "" });

async function read(id: string, userId: string) {
  const as = await setup.product.token(userId, []);
  return (await setup.product.call("GET", `/notifications/${id}`, { as })).body;
}

const actionsOf = ({ payload }: Pushed): unknown[] =>
  (Array.isArray(payload["actions"]) ? payload["actions"] : []).map(({ action }) => action);

const confirmations = (view: Record<string, unknown>): unknown[] =>
  (view["timeline"] as Record<string, unknown>[]) // an API's JSON
    .filter(({ to }) => to === "confirmed")
    .map(({ channel }) => channel);

async function confirmedToday(): Promise<number> {
  const { body } = await setup.product.call("GET", "/analytics");
  const { push } = Object(body["delivery_stats"]);
  return Number(push.confirmed);
}

/** Has the due index bring it up now instead of in an hour. */
async function makeDue(userId: string, noteId: string): Promise<void> {
  const { redis, keyspace } = setup.product.foundation;
  await redis.zadd(keyspace.sharded(keyspace.shardOfUser(userId), "due"), 0, noteId);
}

/** How many warnings wait for this person. */
async function openWarnings(userId: string): Promise<number> {
  const as = await setup.product.token("boss", ["admin"]);
  const { body } = await setup.product.call("GET", `/audit?user_id=${userId}`, { as });
  const entries = body["entries"] as Record<string, unknown>[]; // an API's JSON
  const ofWarnings = entries.filter(({ template_id }) => template_id === WARNING);
  const count = (action: string) => ofWarnings.filter((entry) => entry["action"] === action).length;
  return count("accepted") - count("settled");
}

describe("the actions of a push message", () => {
  it("are the template's own, then a reminder where something is asked", async () => {
    const pushed = await pushTo(matchingFor(someone(), PHONE));
    expect(actionsOf(pushed)).toEqual(["confirm_authors", "remind-later", "mark-read"]);
  });

  it("are the template's own, then to mark it as read where something is told", async () => {
    const pushed = await pushTo(classCreatedFor(someone()));
    expect(actionsOf(pushed)).toEqual(["open_class", "mark-read", "remind-later"]);
  });

  it("are in the language of the person", async () => {
    const { payload } = await pushTo({ ...announcementFor(someone()), locale: "sv" });
    expect(payload["actions"]).toEqual([
      { action: "mark-read", title: "Markera som läst" },
      { action: "remind-later", title: "Påminn mig om en timme" },
    ]);
  });

  it("offer no reminder where none can be made", async () => {
    const noFrame = await pushTo({ ...announcementFor(someone()), channels: ["push"] });
    expect(actionsOf(noFrame)).toEqual(["mark-read"]);
    expect((await post(noFrame.receipt, "snoozed")).body).toMatchObject({ code: "not_snoozable" });

    const expires_at = new Date(Date.now() + HOUR_MS / 2).toISOString();
    const soon = await pushTo({ ...announcementFor(someone()), expires_at });
    expect(actionsOf(soon)).toEqual(["mark-read"]);
    const answer = await post(soon.receipt, "snoozed");
    expect(answer).toMatchObject({ status: 409, body: { code: "not_snoozable" } });
    expect((await post(soon.receipt, "snoozed", { minutes: 5 })).status).toBe(200);
  });
});

describe("a receipt", () => {
  it("confirms once, however often and of whatever it tells", async () => {
    const userId = someone();
    const { id, receipt } = await pushTo(announcementFor(userId));
    for (const event of ["shown", "shown", "clicked", "shown", "read", "read"]) {
      expect((await post(receipt, event)).status).toBe(204);
    }
    await expect
      .poll(async () => confirmations(await read(id, userId)), { timeout: MAX_WAIT_MS })
      .toEqual(["push"]);
    const before = await confirmedToday();
    expect(before).toBeGreaterThan(0);
    for (const event of ["shown", "clicked", "read"]) await post(receipt, event);
    // Receipts are written in the order in which they come: this one tells that those are done.
    const other = await pushTo(announcementFor(userId));
    await post(other.receipt, "shown");
    await expect
      .poll(async () => confirmations(await read(other.id, userId)), { timeout: MAX_WAIT_MS })
      .toEqual(["push"]);
    expect(confirmations(await read(id, userId))).toEqual(["push"]);
    expect(await confirmedToday()).toBe(before + 1);
  });

  it("is refused where it is forged, of no notification we know, or malformed", async () => {
    const { receipt } = await pushTo(announcementFor(someone()));
    const [noteId = "", signature = ""] = receipt.split(".");
    const forged = `${noteId}.${signature.replace(/^./, (first) => (first === "0" ? "1" : "0"))}`;
    for (const wrong of [forged, noteId, `${noteId}.`, "", "x.y"]) {
      expect((await post(wrong, "shown")).status).toBe(401);
    }
    expect((await post(receipt, "eaten")).status).toBe(400);
    expect((await post(receipt, "snoozed", { minutes: 0 })).status).toBe(400);
    expect((await post(receipt, "snoozed", { minutes: 1_441 })).status).toBe(400);
  });

  it("of one that nobody was reached by makes it delivered, late", async () => {
    const userId = someone();
    const subscription = await setup.subscribe(userId);
    // Taken all the same: the refusal was a proxy's, on the way back.
    setup.pushService.script(subscription.endpoint, { status: 400 });
    const { body } = await setup.product.notify(announcementFor(userId));
    expect(body).toMatchObject({ status: "failed" });
    const id = String(body["notification_id"]);
    const { receipt } = await payloadOf(id);
    await post(String(receipt), "shown");
    await expect
      .poll(() => read(id, userId), { timeout: MAX_WAIT_MS })
      .toMatchObject({ status: "delivered", channels: { push: "delivered" } });
  });

  it("counts against a limit of the address it comes from", async () => {
    const product = await startProduct({
      RATE_LIMITS: "on",
      RATE_LIMIT_ANONYMOUS_PER_MINUTE: "2",
    });
    const guess = () =>
      product.call("POST", "/receipts", { body: { receipt: "a.b", event: "shown" }, as: "" });
    const statuses = [(await guess()).status, (await guess()).status, (await guess()).status];
    expect(statuses).toEqual([401, 401, 429]);
    await product.stop();
  });
});

describe("marked as read", () => {
  it("confirms what an open tab got too, as reading it there does", async () => {
    const userId = someone();
    const tab = await setup.openTab(userId);
    const { id, receipt } = await pushTo({ ...announcementFor(userId), strategy: "all" });
    await tab.nextNotification();
    await expect
      .poll(() => read(id, userId), { timeout: MAX_WAIT_MS })
      .toMatchObject({ channels: { websocket: "delivered", push: "delivered" } });
    expect((await post(receipt, "read")).status).toBe(204);
    await expect
      .poll(async () => confirmations(await read(id, userId)), { timeout: MAX_WAIT_MS })
      .toEqual(["push", "websocket"]);
    await tab.close();
  });

  it("says nothing of a tab that never got it, and is not sent to the next one unasked", async () => {
    const userId = someone();
    const { id, receipt } = await pushTo(announcementFor(userId, "Read on the phone"));
    await post(receipt, "read");
    await expect
      .poll(async () => confirmations(await read(id, userId)), { timeout: MAX_WAIT_MS })
      .toEqual(["push"]);
    expect(await read(id, userId)).toMatchObject({
      channels: { websocket: "skipped", push: "delivered" },
      channel_details: { websocket: { reason: "offline" } },
    });
    const tab = await setup.openTab(userId);
    await setup.product.notify(announcementFor(userId, "The next"));
    expect(await tab.nextNotification()).toMatchObject({ title: "The next" });
    await tab.close();
    // Who asks for the history still gets it.
    const { webSocketUrl } = setup.product;
    const token = await setup.product.token(userId);
    const replaying = await connect(webSocketUrl, { token, replayFrom: "0" });
    expect(await replaying.nextNotification()).toMatchObject({ title: "Read on the phone" });
    await replaying.close();
  });
});

describe("put off", () => {
  it("comes again as it was, once, without a text message", async () => {
    const userId = someone();
    const request = { ...matchingFor(userId, PHONE), locale: "ar", correlation_id: "c-7" };
    const first = await pushTo(request);
    const before = setup.twilio.received.length;
    const asked = Date.now();
    const answers = await Promise.all([
      post(first.receipt, "snoozed", { minutes: 5 }),
      post(first.receipt, "snoozed", { minutes: 6 }),
    ]);
    const again = await post(first.receipt, "snoozed", { minutes: 90 });
    const ids = [...answers, again].map(({ body }) => body["notification_id"]);
    expect(new Set(ids).size).toBe(1);
    expect(again).toMatchObject({ status: 200, body: answers[0]?.body });
    const sendAt = Date.parse(String(again.body["send_at"]));
    expect(sendAt - asked).toBeGreaterThanOrEqual(5 * 60_000);
    expect(sendAt - asked).toBeLessThan(7 * 60_000);

    const reminder = String(ids[0]);
    expect(await read(reminder, userId)).toMatchObject({
      status: "scheduled",
      user_id: userId,
      template_id: request.template_id,
      channel_details: { sms: { reason: "not_requested" } },
    });
    await makeDue(userId, reminder);
    const { title, body, dir, locale, url }: Record<string, unknown> = first.payload;
    expect(await payloadOf(reminder)).toMatchObject({
      notification_id: reminder,
      priority: "critical",
      title,
      body,
      dir,
      locale,
      url,
    });
    expect(setup.twilio.received.length).toBe(before);

    const tab = await connect(setup.product.webSocketUrl, {
      token: await setup.product.token(userId),
      replayFrom: "0",
    });
    const [original, copy] = [await tab.nextNotification(), await tab.nextNotification()];
    const fresh = ["notification_id", "replay_id", "timestamp"].map((name) => [name, copy[name]]);
    expect({ ...original, ...Object.fromEntries(fresh) }).toEqual(copy);
    await tab.close();
  });

  it("warns of its deadline once all the same", async () => {
    const userId = someone();
    const request = matchingFor(userId, PHONE);
    const deadline_timestamp = new Date(Date.now() + 12 * HOUR_MS).toISOString();
    const data = { ...request.data, deadline_timestamp };
    const { receipt } = await pushTo({ ...request, data });
    expect(await openWarnings(userId)).toBe(1);
    await post(receipt, "snoozed");
    expect(await openWarnings(userId)).toBe(1);
  });

  it("can be cancelled by its person, and is not theirs to see who only sent it first", async () => {
    const userId = someone();
    const { receipt } = await pushTo(announcementFor(userId));
    const { body } = await post(receipt, "snoozed");
    const path = `/notifications/${String(body["notification_id"])}`;
    expect((await setup.product.call("GET", path)).status).toBe(404);
    const as = await setup.product.token(userId, []);
    expect((await setup.product.call("DELETE", path, { as })).body).toMatchObject({
      status: "cancelled",
    });
  });
});
