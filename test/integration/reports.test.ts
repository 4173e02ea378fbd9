/** What dashboards and administrators read: every notification counted once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { connect } from "../support/websocket-client.ts";
import { announcementFor, MEETING_REMINDER, meetingFor, someone } from "./requests.ts";

let product: Product;

beforeAll(async () => {
  product = await startProduct({
    RATE_LIMITS: "on",
    RATE_LIMIT_RECIPIENT_PER_MINUTE: "3",
    RATE_LIMIT_SERVICE_PER_MINUTE: "1000",
  });
});

afterAll(async () => {
  await product.stop();
});

describe("analytics", () => {
  it("count notifications, not tries", async () => {
    const userId = someone();
    const tab = await connect(product.webSocketUrl, { token: await product.token(userId) });
    await tab.next("connected");
    await product.notify(meetingFor(userId));
    await tab.close();
    await product.notify(meetingFor("test-gone@sandbox"));
    await product.notify(meetingFor("test-rejected@sandbox"));
    await product.notify(announcementFor("test-stored@sandbox"));

    const { status, body } = await product.call("GET", "/analytics");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      total_notifications: 4,
      notification_types: { iep_reminder: 3, announcement: 1 },
      delivery_stats: {
        push: { sent: 2, delivered: 0, failed: 2, success_rate: 0 },
        sms: { sent: 2, delivered: 1, failed: 1, success_rate: 0.5 },
      },
      statuses: { delivered: 2, failed: 1, stored: 1 },
      connection_stats: { total_connections: expect.any(Number), active_users: expect.any(Number) },
    });
    // All that are not on sockets were to people who are offline, which is no failure.
    expect(body["delivery_stats"]).toMatchObject({
      websocket: { sent: 4, delivered: 1, failed: 0, offline: 3, success_rate: 0.25 },
    });
    expect(Object.keys(body["response_times"] as object)).toEqual([
      "average_ms",
      "p95_ms",
      "p99_ms",
    ]);
  });

  it("of days without traffic are zeros", async () => {
    const path = "/analytics?start_date=2020-01-01&end_date=2020-01-03";
    expect((await product.call("GET", path)).body).toMatchObject({
      total_notifications: 0,
      delivery_stats: { sms: { sent: 0, success_rate: 0 } },
      response_times: { average_ms: 0, p95_ms: 0, p99_ms: 0 },
    });
  });

  it.each([
    ["start_date=2026-02-30", "invalid_request"],
    ["start_date=yesterday", "invalid_request"],
    ["start_date=2026-03-02&end_date=2026-03-01", "invalid_date_range"],
    ["start_date=2024-01-01&end_date=2026-03-01", "invalid_date_range"],
  ])("refuse %s", async (query, code) => {
    const answer = await product.call("GET", `/analytics?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body["code"]).toBe(code);
  });

  it("need their scope", async () => {
    const as = await product.token("service", ["notify:send"]);
    expect((await product.call("GET", "/analytics", { as })).status).toBe(403);
  });
});

describe("the audit trail", () => {
  it("says who sent what to whom and what came of it, and never the payload", async () => {
    const userId = someone();
    const sent = await product.notify({ ...MEETING_REMINDER, user_id: userId });
    const as = await product.token("boss", ["admin"]);
    const { body } = await product.call("GET", `/audit?user_id=${userId}`, { as });
    expect(body["entries"]).toEqual([
      expect.objectContaining({ action: "settled", result: "stored" }),
      expect.objectContaining({
        action: "accepted",
        caller: "service-under-test",
        user_id: userId,
        template_id: "iep_meeting_reminder",
        notification_id: sent.body["notification_id"],
      }),
    ]);
    expect(JSON.stringify(body)).not.toContain("Sarah");
    const other = await product.token("teacher", ["notify:send"]);
    expect((await product.call("GET", "/audit", { as: other })).status).toBe(403);
  });
});

describe("a flood to one person", () => {
  it("is held back; what matters more is not", async () => {
    const userId = someone();
    const answers = [];
    // A minute may end in between: of eight, more than three are then still in one of the two.
    for (let index = 0; index < 8; index += 1) {
      answers.push(await product.notify(announcementFor(userId, `number ${index}`)));
    }
    const statuses = answers.map((answer) => answer.body["status"]);
    expect(statuses.slice(0, 3)).toEqual(["stored", "stored", "stored"]);
    expect(statuses).toContain("suppressed");
    const held = answers.find((answer) => answer.body["status"] === "suppressed");
    expect(held?.body).toMatchObject({
      replay_id: null,
      channels: { websocket: "skipped", push: "skipped", sms: "skipped" },
      channel_details: { websocket: { reason: "flood" } },
    });
    const pressing = await product.notify(meetingFor(userId));
    expect(pressing.body["status"]).toBe("stored");
  });
});
