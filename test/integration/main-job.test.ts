/** The main job: from `POST /notify` to the open tab, and the documented examples as they stand. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  PHONE,
  startProductWithProviders,
  type ProductWithProviders,
} from "./product-with-providers.ts";
import {
  announcementFor,
  DEADLINE_WARNING,
  matchingFor,
  MEETING_REMINDER,
  meetingFor,
  someone,
} from "./requests.ts";

let setup: ProductWithProviders;

beforeAll(async () => {
  setup = await startProductWithProviders();
});

afterAll(async () => {
  await setup.stop();
});

describe("a user with an open tab", () => {
  it("sees the notification there, and nobody else does", async () => {
    const userId = someone("teacher");
    const tab = await setup.openTab(userId);
    const strangerId = someone("stranger");
    const stranger = await setup.openTab(strangerId);

    const answer = await setup.product.notify(meetingFor(userId, PHONE));
    const frame = await tab.nextNotification();

    expect(answer.status).toBe(200);
    expect(answer.headers.get("preference-applied")).toBe("wait=10");
    expect(answer.body).toMatchObject({
      status: "delivered",
      channels: { websocket: "delivered", push: "skipped", sms: "skipped" },
      channel_details: { push: { reason: "not_needed" }, sms: { reason: "not_needed" } },
      replay_id: "1",
      websocket_connections: 1,
    });
    expect(frame).toMatchObject({
      type: "iep_meeting_reminder",
      event: "iep_meeting_reminder",
      notification_id: answer.body["notification_id"],
      replay_id: "1",
      notification_type: "iep_reminder",
      category: "iep",
      priority: "high",
      dir: "ltr",
      locale: "en",
      data: meetingFor(userId).data,
      action_required: false,
      deadline: "2025-09-15T14:00:00.000Z",
      correlation_id: answer.body["notification_id"],
    });
    expect(String(frame["title"])).toContain("Sarah Johnson");
    expect(String(frame["epoch"])).not.toBe("");
    expect(Date.parse(String(frame["timestamp"]))).toBeGreaterThan(0);

    // The stranger's own next message is the first that the stranger gets.
    await setup.product.notify(announcementFor(strangerId));
    expect((await stranger.nextNotification())["type"]).toBe("announcement");
    expect(stranger.replayIds()).toEqual(["1"]);
    await Promise.all([tab.close(), stranger.close()]);
  });

  it("counts each of several tabs", async () => {
    const userId = someone();
    const tabs = [
      await setup.openTab(userId),
      await setup.openTab(userId),
      await setup.openTab(userId),
    ];
    const answer = await setup.product.notify(announcementFor(userId));
    expect(answer.body["websocket_connections"]).toBe(3);
    for (const tab of tabs) expect((await tab.nextNotification())["replay_id"]).toBe("1");
    await Promise.all(tabs.map((tab) => tab.close()));
  });

  it("acknowledges, and the notification is confirmed", async () => {
    const userId = someone();
    const tab = await setup.openTab(userId, { ack: true });
    const answer = await setup.product.notify(announcementFor(userId));
    const frame = await tab.nextNotification();
    tab.send({ type: "ack", replay_id: frame["replay_id"] });
    const path = `/notifications/${String(answer.body["notification_id"])}`;
    await expect
      .poll(async () => (await setup.product.call("GET", path)).body["channel_details"])
      .toMatchObject({ websocket: { confirmed_at: expect.any(String) } });
    await tab.close();
  });
});

describe("a critical notification on a tab that promised to acknowledge", () => {
  it("is delivered by the acknowledgement, and no phone rings", async () => {
    const userId = someone();
    const tab = await setup.openTab(userId, { ack: true });
    const sent = setup.product.notify(matchingFor(userId, PHONE));
    const frame = await tab.nextNotification();
    tab.send({ type: "ack", replay_id: frame["replay_id"] });
    expect((await sent).body).toMatchObject({
      status: "delivered",
      channels: { websocket: "delivered", push: "skipped", sms: "skipped" },
    });
    await tab.close();
  });

  it("goes on to the next channel when the acknowledgement does not come", async () => {
    const userId = someone();
    const tab = await setup.openTab(userId, { ack: true });
    const answer = await setup.product.notify(matchingFor(userId, PHONE));
    expect(answer.body).toMatchObject({
      status: "delivered",
      channels: { websocket: "failed", push: "skipped", sms: "delivered" },
      channel_details: {
        websocket: { reason: "unconfirmed" },
        push: { reason: "no_subscription" },
      },
    });
    await setup.twilio.next();
    await tab.close();
  });

  it("does not wait for an acknowledgement that nobody promised", async () => {
    const userId = someone();
    const tab = await setup.openTab(userId);
    const answer = await setup.product.notify(matchingFor(userId, PHONE));
    expect(answer.body["channels"]).toMatchObject({ websocket: "delivered", sms: "skipped" });
    await tab.close();
  });
});

describe("strategy all", () => {
  it("uses every requested and eligible channel", async () => {
    const userId = someone();
    const tab = await setup.openTab(userId);
    await setup.subscribe(userId);
    const answer = await setup.product.notify({ ...meetingFor(userId, PHONE), strategy: "all" });
    expect(answer.body).toMatchObject({
      status: "delivered",
      channels: { websocket: "delivered", push: "delivered", sms: "delivered" },
    });
    await tab.nextNotification();
    await tab.close();
  });
});

describe("the documented examples", () => {
  it("work as they stand, with dates that have passed", async () => {
    const tab = await setup.openTab(MEETING_REMINDER.user_id);
    const meeting = await setup.product.notify(MEETING_REMINDER);
    const deadline = await setup.product.notify(DEADLINE_WARNING);
    expect(meeting.body).toMatchObject({
      status: "delivered",
      channels: { websocket: "delivered" },
    });
    expect(deadline.body).toMatchObject({
      status: "delivered",
      channels: { websocket: "delivered", push: "skipped", sms: "skipped" },
      channel_details: { sms: { reason: "not_requested" } },
    });
    expect((await tab.nextNotification())["type"]).toBe("iep_meeting_reminder");
    expect(await tab.nextNotification()).toMatchObject({
      type: "iep_deadline_warning",
      action_required: true,
      data: { action_required: "Submit IEP review documents" },
    });
    await tab.close();
  });

  it("end honestly with nobody online: the example's number cannot exist", async () => {
    const answer = await setup.product.notify({ ...MEETING_REMINDER, user_id: someone() });
    expect(answer.body).toMatchObject({
      status: "stored",
      channel_details: { sms: { reason: "invalid_phone" } },
    });
  });
});
