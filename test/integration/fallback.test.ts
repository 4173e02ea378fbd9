/** Every branch of the fallback chain when nobody is online: push, then SMS where it is allowed. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  PHONE,
  startProductWithProviders,
  type ProductWithProviders,
} from "./product-with-providers.ts";
import { classCreatedFor, matchingFor, meetingFor, someone } from "./requests.ts";

let setup: ProductWithProviders;

beforeAll(async () => {
  // Where Twilio finds it: in front of it stands a proxy.
  setup = await startProductWithProviders({ CALLBACK_URL: "https://notify.school.example" });
});

afterAll(async () => {
  await setup.stop();
});

describe("nobody online", () => {
  it("rings the browser by push, without the pupil's name", async () => {
    const userId = someone();
    await setup.subscribe(userId);
    const answer = await setup.product.notify(meetingFor(userId, PHONE));
    expect(answer.body).toMatchObject({
      status: "delivered",
      channels: { websocket: "skipped", push: "delivered", sms: "skipped" },
      channel_details: { websocket: { reason: "offline" } },
    });
    const { payload } = await setup.pushService.next();
    expect(payload).not.toContain("Sarah");
    expect(payload).not.toContain("Johnson");
    expect(JSON.parse(payload)).toMatchObject({
      notification_id: answer.body["notification_id"],
      replay_id: "1",
      title: expect.any(String),
      body: expect.any(String),
      url: expect.stringMatching(/^\//),
    });
  });

  it("sends an SMS about an IEP where there is no subscription", async () => {
    const answer = await setup.product.notify(meetingFor(someone(), PHONE));
    expect(answer.body).toMatchObject({
      status: "delivered",
      channels: { websocket: "skipped", push: "skipped", sms: "delivered" },
      channel_details: { push: { reason: "no_subscription" } },
    });
    const message = await setup.twilio.next();
    expect(message.to).toBe(PHONE);
    expect(message.body).not.toContain("Sarah");
  });

  it("sends an SMS for what is critical, IEP or not", async () => {
    const answer = await setup.product.notify(matchingFor(someone(), PHONE));
    expect(answer.body).toMatchObject({ status: "delivered", channels: { sms: "delivered" } });
    expect((await setup.twilio.next()).to).toBe(PHONE);
  });

  it("never sends an SMS for what is neither", async () => {
    const before = setup.twilio.received.length;
    const asked = { ...classCreatedFor(someone(), PHONE), channels: ["websocket", "push", "sms"] };
    const answer = await setup.product.notify(asked);
    expect(answer.body).toMatchObject({
      status: "stored",
      channels: { websocket: "skipped", push: "skipped", sms: "skipped" },
      channel_details: { sms: { reason: "not_eligible" } },
    });
    const only = await setup.product.notify({ ...asked, user_id: someone(), channels: ["sms"] });
    expect(only.body).toMatchObject({ status: "stored", channels: { sms: "skipped" } });
    expect(setup.twilio.received.length).toBe(before);
  });

  it("drops a subscription that is gone, and goes on to SMS", async () => {
    const userId = someone();
    const subscription = await setup.subscribe(userId);
    setup.pushService.script(subscription.endpoint, { status: 410 });
    const answer = await setup.product.notify(meetingFor(userId, PHONE));
    expect(answer.body).toMatchObject({
      status: "delivered",
      channels: { websocket: "skipped", push: "failed", sms: "delivered" },
      channel_details: { push: { reason: "gone" } },
    });
    await setup.pushService.next();
    await setup.twilio.next();
    const again = await setup.product.notify(meetingFor(userId, PHONE));
    expect(again.body["channel_details"]).toMatchObject({ push: { reason: "no_subscription" } });
    await setup.twilio.next();
  });

  it("is content with one browser of several", async () => {
    const userId = someone();
    const dead = await setup.subscribe(userId);
    await setup.subscribe(userId);
    setup.pushService.script(dead.endpoint, { status: 404 });
    const answer = await setup.product.notify(classCreatedFor(userId));
    expect(answer.body).toMatchObject({ status: "delivered", channels: { push: "delivered" } });
    await setup.pushService.next();
    await setup.pushService.next();
  });

  it("tries a failing push service again", async () => {
    const userId = someone();
    const subscription = await setup.subscribe(userId);
    setup.pushService.script(subscription.endpoint, { status: 503 });
    const sent = setup.product.notify(classCreatedFor(userId));
    await setup.pushService.next();
    setup.pushService.script(subscription.endpoint, { status: 201 });
    expect((await sent).body).toMatchObject({
      status: "delivered",
      channels: { push: "delivered" },
    });
    await setup.pushService.next();
  });

  it("does not wait long for a failing push service when it is critical", async () => {
    const userId = someone();
    const subscription = await setup.subscribe(userId);
    setup.pushService.script(subscription.endpoint, { status: 500 });
    const answer = await setup.product.notify(matchingFor(userId, PHONE));
    expect(answer.body).toMatchObject({
      status: "delivered",
      channels: { push: "failed", sms: "delivered" },
      channel_details: { push: { reason: "provider_error" } },
    });
    await setup.twilio.next();
  });

  it("fails where the push service refuses and SMS is not for it", async () => {
    const userId = someone();
    const subscription = await setup.subscribe(userId);
    setup.pushService.script(subscription.endpoint, { status: 400 });
    const answer = await setup.product.notify(classCreatedFor(userId));
    expect(answer.body).toMatchObject({
      status: "failed",
      channels: { websocket: "skipped", push: "failed", sms: "skipped" },
      channel_details: { push: { reason: "rejected" } },
    });
  });

  it("stores what has no way to the person", async () => {
    const answer = await setup.product.notify(meetingFor(someone()));
    expect(answer.body).toMatchObject({
      status: "stored",
      channel_details: { sms: { reason: "no_phone" } },
    });
  });
});

describe("an SMS provider", () => {
  it("that took the message and never answered is not asked again", async () => {
    const number = "+46701234001";
    setup.twilio.script(number, { acceptThenReset: true });
    const answer = await setup.product.notify(meetingFor(someone(), number), {
      prefer: "wait=1",
    });
    expect(answer.body).toMatchObject({
      status: "queued",
      channels: { sms: "queued" },
      channel_details: { sms: { reason: "unknown" } },
    });
    const sent = setup.twilio.received.find(({ to }) => to === number);
    if (sent === undefined) throw new Error("nothing was taken");
    const { url } = setup.product;
    expect(await setup.twilio.report(sent, { status: "delivered" }, url)).toBe(204);
    await vi.waitFor(async () => {
      const id = String(answer.body["notification_id"]);
      expect((await setup.product.call("GET", `/notifications/${id}`)).body).toMatchObject({
        status: "delivered",
        channel_details: { sms: { confirmed_at: expect.any(String) } },
      });
    });
    expect(setup.twilio.received.filter(({ to }) => to === number)).toHaveLength(1);
  });

  it("that says the person opted out is believed from then on", async () => {
    const number = "+46701234002";
    setup.twilio.script(number, { status: 400, code: 21_610 });
    const first = await setup.product.notify(meetingFor(someone(), number));
    expect(first.body["channel_details"]).toMatchObject({ sms: { reason: "opted_out" } });
    const refusals = setup.twilio.refusals.length;
    const second = await setup.product.notify(matchingFor(someone(), number));
    expect(second.body["channel_details"]).toMatchObject({ sms: { reason: "opted_out" } });
    expect(setup.twilio.refusals.length).toBe(refusals);
  });

  it("that is too busy is asked again", async () => {
    const number = "+46701234003";
    setup.twilio.script(number, { status: 429, code: 20_429 });
    const sent = setup.product.notify(meetingFor(someone(), number));
    await expect.poll(() => setup.twilio.refusals.at(-1)).toBe(20_429);
    setup.twilio.script(number, { status: 201 });
    expect((await sent).body).toMatchObject({ channels: { sms: "delivered" } });
  });

  it("that refuses the number fails the channel", async () => {
    const number = "+46701234004";
    setup.twilio.script(number, { status: 400, code: 21_614 });
    const answer = await setup.product.notify(meetingFor(someone(), number));
    expect(answer.body["channel_details"]).toMatchObject({ sms: { reason: "rejected" } });
  });
});
