/** Two SMS providers as an operator sets them up: who gets a message, who hears of it, what is capped. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signAsGateway, startSmsGateway, type SmsGateway } from "../support/sms-gateway.ts";
import {
  PHONE,
  startProductWithProviders,
  type ProductWithProviders,
} from "./product-with-providers.ts";
import { meetingFor, someone } from "./requests.ts";

const SECRET = "a-secret-that-both-sides-have-0123456789";

let gateway: SmsGateway;
let setup: ProductWithProviders;

beforeEach(async () => {
  gateway = await startSmsGateway(SECRET);
});
afterEach(async () => {
  await setup.stop();
  await gateway.close();
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  const webhook = { SMS_WEBHOOK_URL: gateway.url, SMS_WEBHOOK_SECRET: SECRET };
  setup = await startProductWithProviders({ ...webhook, ...env });
}

const notify = async (userId = someone()) =>
  (await setup.product.notify(meetingFor(userId, PHONE))).body;

describe("with Twilio and a gateway", () => {
  it("a message that Twilio refuses for the account goes through the gateway, and it shows", async () => {
    await start({ TWILIO_AUTH_TOKEN: "one-that-was-taken-back" });
    const body = await notify();
    expect(body).toMatchObject({ status: "delivered", channels: { sms: "delivered" } });
    expect(setup.twilio.received).toHaveLength(0);
    const { text, to } = await gateway.next();
    expect(to).toBe(PHONE);
    expect(text).not.toContain("Sarah");

    const id = String(body["notification_id"]);
    const { body: seen } = await setup.product.call("GET", `/notifications/${id}`);
    expect(seen["timeline"]).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ channel: "sms", to: "sending", reason: "twilio" }),
        expect.objectContaining({ channel: "sms", to: "sending", reason: "webhook" }),
      ]),
    );
    expect(gateway.faults).toEqual([]);
  });

  it("the order can be turned round", async () => {
    await start({ SMS_PROVIDERS: "webhook,twilio" });
    gateway.script(PHONE, { status: 429, times: 1 });
    expect(await notify()).toMatchObject({ status: "delivered" });
    expect((await setup.twilio.next()).to).toBe(PHONE);
    expect(await notify()).toMatchObject({ status: "delivered" });
    expect(gateway.received).toHaveLength(1);
  });
});

describe("a gateway that takes a message and never says so", () => {
  it("says so later: the message is delivered, then confirmed, and was sent once", async () => {
    await start({ SMS_PROVIDERS: "webhook", CALLBACK_URL: "https://notify.example" });
    gateway.script(PHONE, { acceptThenReset: true });
    const answer = await setup.product.call("POST", "/notify", {
      body: meetingFor(someone(), PHONE),
    });
    const id = String(answer.body["notification_id"]);
    const { callback_url: callback = "", message_id } = await gateway.next();
    expect(message_id).toBe(id);
    const report = async (status: string): Promise<void> => {
      const body = JSON.stringify({ message_id, provider_id: "theirs-1", status });
      const seconds = Math.floor(Date.now() / 1_000);
      const { pathname, search, origin } = new URL(callback);
      expect(origin).toBe("https://notify.example");
      const { status: said } = await fetch(setup.product.url + pathname + search, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "schoolbell-signature": signAsGateway(SECRET, body, seconds),
        },
        body,
      });
      expect(said).toBe(204);
    };
    const seen = async () => (await setup.product.call("GET", `/notifications/${id}`)).body;
    await expect
      .poll(seen)
      .toMatchObject({ status: "queued", channel_details: { sms: { reason: "unknown" } } });
    await report("sent");
    await expect.poll(seen).toMatchObject({ status: "delivered", channels: { sms: "delivered" } });
    await report("delivered");
    await expect
      .poll(seen)
      .toMatchObject({ channel_details: { sms: { confirmed_at: expect.any(String) } } });
    expect(gateway.requests).toBe(1);
  });
});

describe("a sender of too many SMS", () => {
  it("is told that they were held back", async () => {
    await start({ RATE_LIMITS: "on", SMS_CAP_USER_DAY: "2", SMS_SEGMENTS_PER_SECOND: "100" });
    const userId = someone();
    for (let count = 0; count < 2; count += 1) {
      expect(await notify(userId)).toMatchObject({ status: "delivered" });
    }
    expect(await notify(userId)).toMatchObject({
      status: "stored",
      channels: { sms: "skipped" },
      channel_details: { sms: { reason: "flood" } },
    });
  });

  it("is not held back in a load test", async () => {
    await start({ RATE_LIMITS: "off", SMS_CAP_USER_DAY: "1", SMS_SEGMENTS_PER_SECOND: "0.001" });
    const userId = someone();
    for (let count = 0; count < 8; count += 1) {
      expect(await notify(userId)).toMatchObject({ status: "delivered" });
    }
  });
});
