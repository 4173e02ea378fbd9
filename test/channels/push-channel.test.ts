/** Web Push against a push service that checks signatures and decrypts as a browser does. */
import webPush from "web-push";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createManualClock } from "../support/manual-clock.ts";
import { startPushService, type PushService } from "../support/push-service.ts";
import { openPushChannel, pushMessage, TIMEOUT_MS, VAPID } from "./push-fixture.ts";

let service: PushService;
let channel: ReturnType<typeof openPushChannel>;

beforeAll(async () => {
  service = await startPushService();
  channel = openPushChannel([service.origin]);
});
afterAll(async () => {
  await channel.close();
  await service.close();
});

describe("a push message", () => {
  it("reaches the browser it was encrypted for, with its lifetime, urgency and topic", async () => {
    const browser = service.subscribe(VAPID.publicKey);
    const message = pushMessage();
    expect(await channel.send(browser, message)).toEqual({ kind: "delivered" });
    expect(await service.next()).toMatchObject({
      endpoint: browser.endpoint,
      payload: message.payload,
      ttlSeconds: 3_600,
      urgency: "high",
      topic: "homework-7",
      vapid: { aud: service.origin, sub: VAPID.subject, key: VAPID.publicKey },
    });
  });

  it("may be as large as one record holds, and not a byte larger", async () => {
    const browser = service.subscribe(VAPID.publicKey);
    const largest = pushMessage({ payload: "x".repeat(3_993) });
    expect(await channel.send(browser, largest)).toEqual({ kind: "delivered" });
    const arrived = service.received.length;
    expect(await channel.send(browser, pushMessage({ payload: "x".repeat(3_994) }))).toEqual({
      kind: "rejected",
      detail: "payload_too_large",
    });
    expect(service.received).toHaveLength(arrived);
  });

  it("from another sender than the browser subscribed to is refused for good", async () => {
    const browser = service.subscribe(webPush.generateVAPIDKeys().publicKey);
    expect(await channel.send(browser, pushMessage())).toEqual({
      kind: "rejected",
      detail: "http 403",
    });
  });

  it("to an endpoint the service does not know is gone", async () => {
    const { keys } = service.subscribe(VAPID.publicKey);
    const forgotten = { endpoint: `${service.origin}/push/forgotten`, keys };
    expect(await channel.send(forgotten, pushMessage())).toEqual({ kind: "gone" });
  });

  it("for keys that are no keys is refused without a request", async () => {
    const { endpoint } = service.subscribe(VAPID.publicKey);
    const keys = { p256dh: "AAAA", auth: "AAAA" };
    expect(await channel.send({ endpoint, keys }, pushMessage())).toMatchObject({
      kind: "rejected",
    });
  });
});

describe("what the push service answers", () => {
  it.each([
    [200, "delivered"],
    [201, "delivered"],
    [202, "delivered"],
    [204, "delivered"],
    [301, "rejected"],
    [307, "rejected"],
    [400, "rejected"],
    [401, "rejected"],
    [403, "rejected"],
    [404, "gone"],
    [406, "retry"],
    [408, "retry"],
    [410, "gone"],
    [413, "rejected"],
    [429, "retry"],
    [500, "retry"],
    [502, "retry"],
    [503, "retry"],
  ])("%i is %s", async (status, kind) => {
    const browser = service.subscribe(VAPID.publicKey);
    service.script(browser.endpoint, { status });
    const outcome = await channel.send(browser, pushMessage());
    expect(outcome.kind).toBe(kind);
    expect(outcome).not.toHaveProperty("afterMs");
  });

  it.each([406, 429, 503])("%i with Retry-After says how long to wait", async (status) => {
    const browser = service.subscribe(VAPID.publicKey);
    service.script(browser.endpoint, { status, headers: { "retry-after": "17" } });
    expect(await channel.send(browser, pushMessage())).toEqual({
      kind: "retry",
      afterMs: 17_000,
      ...(status !== 503 ? { throttled: true } : {}),
      detail: `http ${status}`,
    });
  });

  it("a redirect is not followed", async () => {
    const browser = service.subscribe(VAPID.publicKey);
    const elsewhere = service.subscribe(VAPID.publicKey);
    service.script(browser.endpoint, { status: 307, headers: { location: elsewhere.endpoint } });
    await channel.send(browser, pushMessage());
    expect(service.received.map((message) => message.endpoint)).not.toContain(elsewhere.endpoint);
  });
});

describe("what the network does", () => {
  it.each([{ cutBody: true }, { stallBody: true }])(
    "a service that said 201 is believed, whatever becomes of the rest: %o",
    async (reply) => {
      const browser = service.subscribe(VAPID.publicKey);
      service.script(browser.endpoint, reply);
      expect(await channel.send(browser, pushMessage())).toEqual({ kind: "delivered" });
    },
  );

  it("answers that never end do not use up the connections to a service", async () => {
    const clock = createManualClock(Date.now());
    const slow = await startPushService();
    // Long enough that no connection is given back for its own timeout.
    const many = openPushChannel([slow.origin], { clock, timeoutMs: 600_000 });
    const endless = slow.subscribe(VAPID.publicKey);
    slow.script(endless.endpoint, { stallBody: true });
    const taken = Array.from({ length: 64 }, () => many.send(endless, pushMessage()));
    for (const outcome of await Promise.all(taken)) expect(outcome.kind).toBe("delivered");
    const next = many.send(slow.subscribe(VAPID.publicKey), pushMessage());
    clock.advance(1_000);
    expect(await next).toEqual({ kind: "delivered" });
    await many.close();
    await slow.close();
  });

  it("a reset connection is worth another try, and the next message goes through", async () => {
    const browser = service.subscribe(VAPID.publicKey);
    service.script(browser.endpoint, { reset: true, times: 1 });
    expect(await channel.send(browser, pushMessage())).toMatchObject({ kind: "retry" });
    expect(await channel.send(browser, pushMessage())).toEqual({ kind: "delivered" });
  });

  it("silence ends at the deadline and is worth another try", async () => {
    const clock = createManualClock(Date.now());
    const silent = await startPushService();
    const patient = openPushChannel([silent.origin], { clock });
    const browser = silent.subscribe(VAPID.publicKey);
    silent.script(browser.endpoint, { hang: true });
    const sending = patient.send(browser, pushMessage());
    await silent.next();
    clock.advance(TIMEOUT_MS);
    expect(await sending).toEqual({ kind: "retry", detail: "network timeout" });
    await silent.close();
    await patient.close();
  });

  it("a push service that is down is worth another try", async () => {
    const down = await startPushService();
    const browser = down.subscribe(VAPID.publicKey);
    await down.close();
    const sender = openPushChannel([down.origin]);
    expect(await sender.send(browser, pushMessage())).toEqual({
      kind: "retry",
      detail: "network ECONNREFUSED",
    });
    await sender.close();
  });
});

describe("endpoints that lead elsewhere", () => {
  it("an endpoint that is no longer on the list gets nothing", async () => {
    const browser = service.subscribe(VAPID.publicKey);
    const arrived = service.received.length;
    const strict = openPushChannel(["fcm.googleapis.com"]);
    expect(await strict.send(browser, pushMessage())).toEqual({
      kind: "rejected",
      detail: "endpoint not_https",
    });
    expect(service.received).toHaveLength(arrived);
    await strict.close();
  });

  it("a listed name that resolves to this host is refused when dialled", async () => {
    const { keys } = service.subscribe(VAPID.publicKey);
    const inward = openPushChannel(["localhost"]);
    expect(await inward.send({ endpoint: "https://localhost/push", keys }, pushMessage())).toEqual({
      kind: "rejected",
      detail: "closed_address",
    });
    await inward.close();
  });
});
