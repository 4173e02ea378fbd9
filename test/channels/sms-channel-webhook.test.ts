/** SMS through a gateway of the installation's own: what it is told, and what its answers come to. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SmsMessage } from "../../src/channels/channel.ts";
import { createWebhookSmsChannel } from "../../src/channels/sms/sms-channel-webhook.ts";
import { createSystemClock } from "../../src/platform/clock.ts";
import { startSmsGateway, type GatewayReply, type SmsGateway } from "../support/sms-gateway.ts";

const SECRET = "a-secret-that-both-sides-have-0123456789";
const ADDRESS = { phoneNumber: "+46701234567" };
const MESSAGE: SmsMessage = { noteId: "00aa", text: "Mötet är flyttat 🎒" };

let gateway: SmsGateway;
let channel: ReturnType<typeof open>;
let numbers = 0;

type Settings = Parameters<typeof createWebhookSmsChannel>[0]["settings"];

function open(given: Partial<Settings> = {}) {
  return createWebhookSmsChannel({
    settings: { url: gateway.url, secrets: [SECRET], timeoutMs: 10_000, ...given },
    clock: createSystemClock(),
  });
}

/** A number that is answered like this. */
function numberWith(reply: GatewayReply): { phoneNumber: string } {
  numbers += 1;
  const phoneNumber = `+467000${String(numbers).padStart(5, "0")}`;
  gateway.script(phoneNumber, reply);
  return { phoneNumber };
}

beforeAll(async () => {
  gateway = await startSmsGateway(SECRET);
  channel = open();
});
afterAll(async () => {
  await channel.close();
  await gateway.close();
});

describe("a message to a gateway", () => {
  it("arrives signed, with all that it needs, and is known by the gateway's id", async () => {
    const full = open({ sender: "School", callbackBase: "https://notify.example" });
    const message = { ...MESSAGE, validitySeconds: 90.7, callbackToken: "a.1.b" };
    const outcome = await full.send(ADDRESS, message);
    expect(outcome).toEqual({ kind: "delivered", providerId: "gw-1" });
    expect(await gateway.next()).toEqual({
      message_id: MESSAGE.noteId,
      to: ADDRESS.phoneNumber,
      text: MESSAGE.text,
      sender: "School",
      validity_seconds: 90,
      callback_url: "https://notify.example/webhooks/sms/status?sms=a.1.b",
    });
    await full.close();
  });

  it("says nothing of what is not known", async () => {
    await channel.send(ADDRESS, { ...MESSAGE, noteId: "00ab" });
    expect(Object.keys(await gateway.next())).toEqual(["message_id", "to", "text"]);
  });

  it("is signed with each secret while they are changed", async () => {
    const changing = open({ secrets: ["a-new-secret-that-the-gateway-has-not-yet", SECRET] });
    expect((await changing.send(ADDRESS, { ...MESSAGE, noteId: "00ac" })).kind).toBe("delivered");
    await changing.close();
  });

  it("is refused where the secret is wrong, which another provider may make good", async () => {
    const stranger = open({ secrets: ["another-secret-that-the-gateway-has-not"] });
    expect(await stranger.send(ADDRESS, MESSAGE)).toEqual({
      kind: "retry",
      detail: "http 401, bad_signature",
    });
    await stranger.close();
  });
});

describe("what a gateway answers", () => {
  it.each<[GatewayReply, object]>([
    [{ status: 200 }, { kind: "delivered" }],
    [{ body: "" }, { kind: "delivered" }],
    [{ body: '{"provider_id":7}' }, { kind: "delivered" }],
    [{ body: '{"provider_id":"one\\ntwo"}' }, { kind: "delivered" }],
    [{ cutBody: true }, { kind: "delivered" }],
    [
      { status: 400, error: "bad_text" },
      { kind: "rejected", detail: "http 400, bad_text" },
    ],
    [{ status: 404 }, { kind: "rejected", detail: "http 404" }],
    [
      { status: 422, error: "+46701234567" },
      { kind: "rejected", detail: "http 422" },
    ],
    [{ status: 422, error: "opted_out" }, { kind: "opted_out" }],
    [{ status: 401 }, { kind: "retry", detail: "http 401" }],
    [{ status: 403 }, { kind: "retry", detail: "http 403" }],
    [{ status: 429 }, { kind: "retry", throttled: true, detail: "http 429" }],
    [
      { status: 429, headers: { "retry-after": "3" } },
      { kind: "retry", throttled: true, afterMs: 3_000, detail: "http 429" },
    ],
    [{ status: 408 }, { kind: "unknown", detail: "http 408" }],
    [{ status: 500 }, { kind: "unknown", detail: "http 500" }],
    [
      { status: 503, error: "opted_out" },
      { kind: "unknown", detail: "http 503, opted_out" },
    ],
    [
      { status: 307, headers: { location: "/messages" } },
      { kind: "unknown", detail: "http 307" },
    ],
    [{ reset: true }, { kind: "unknown" }],
    [{ acceptThenReset: true }, { kind: "unknown" }],
  ])("%j is understood, after one request", async (reply, outcome) => {
    const before = gateway.requests;
    numbers += 1;
    const said = await channel.send(numberWith(reply), { ...MESSAGE, noteId: `01${numbers}` });
    expect(said).toMatchObject(outcome);
    expect(gateway.requests).toBe(before + 1);
  });

  it("and nothing at all, in time, may be an acceptance", async () => {
    const impatient = open({ timeoutMs: 500 });
    expect(await impatient.send(numberWith({ hang: true }), MESSAGE)).toEqual({
      kind: "unknown",
      detail: "network timeout",
    });
    await impatient.close();
  });

  it("is not asked for where nobody listens: then nothing was sent", async () => {
    const closed = await startSmsGateway(SECRET);
    await closed.close();
    const lonely = open({ url: closed.url });
    expect(await lonely.send(ADDRESS, MESSAGE)).toEqual({
      kind: "retry",
      detail: "network ECONNREFUSED",
    });
    await lonely.close();
  });

  it("never shows in what is said about it", () => {
    expect(gateway.faults).toEqual(["bad_signature"]);
  });
});
