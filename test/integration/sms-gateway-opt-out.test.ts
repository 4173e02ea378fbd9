/** STOP from a phone, handed over by a gateway that is not Twilio. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SIGNATURE_HEADER, signBody } from "../../src/channels/sms/webhook-signature.ts";
import { startProduct, type Product } from "../support/product.ts";
import { matchingFor, someone } from "./requests.ts";

const PATH = "/webhooks/sms/inbound";
const SECRET = "a-secret-of-the-gateway-with-32-characters";
let product: Product;
let messages = 0;

beforeAll(async () => {
  product = await startProduct({
    SMS_WEBHOOK_SECRET: SECRET,
    // Nobody listens there: whether an SMS would go out is told before anybody is asked.
    SMS_WEBHOOK_URL: "http://127.0.0.1:9/messages",
  });
});
afterAll(async () => await product.stop());

interface Said {
  readonly secret?: string;
  readonly ageSeconds?: number;
  readonly more?: object;
}

async function say(from: string, text: string, options: Said = {}) {
  messages += 1;
  const raw = JSON.stringify({ message_id: `in-${messages}`, from, text, ...options.more });
  const at = Date.now() - (options.ageSeconds ?? 0) * 1_000;
  const headers = { [SIGNATURE_HEADER]: signBody([options.secret ?? SECRET], raw, at) };
  return await product.call("POST", PATH, { raw, headers, as: "" });
}

async function isOptedOut(number: string): Promise<boolean> {
  const { redis, keyspace, sealing } = product.foundation;
  return (await redis.exists(keyspace.plain(`optout:${sealing.digest(number)}`))) === 1;
}

describe("a gateway that hands over an answer", () => {
  it("is told what to reply, and STOP counts for the next message", async () => {
    const number = "+46701236001";
    const answer = await say(number, "stop");
    expect(answer.status).toBe(200);
    expect(String(answer.body["reply"])).toContain("START");
    const sent = await product.notify(matchingFor(someone(), number));
    expect(sent.body["channel_details"]).toMatchObject({ sms: { reason: "opted_out" } });
    await say(number, "start");
    expect(await isOptedOut(number)).toBe(false);
  });

  it("and has answered it itself is told nothing, and believed", async () => {
    const number = "+46701236002";
    const answer = await say(number, "SLUTA", { more: { keyword: "stop" } });
    expect(answer.body).toEqual({});
    expect(await isOptedOut(number)).toBe(true);
  });

  it("twice changes nothing the second time", async () => {
    const number = "+46701236003";
    const same = { more: { message_id: "the-same" } };
    await say(number, "STOP", same);
    await say(number, "START");
    await say(number, "STOP", same);
    expect(await isOptedOut(number)).toBe(false);
  });

  it.each(["46701236006", "0701236006", "School"])(
    "is not told that a STOP was taken whose number cannot be one (%s)",
    async (from) => {
      const answer = await say(from, "STOP");
      expect(answer.status).toBe(400);
      expect(answer.body["detail"]).toContain("from in the body: must be a number in E.164");
      expect((await say(from, "Thank you!")).status).toBe(200);
    },
  );

  it("of any other kind is told nothing", async () => {
    expect((await say("+46701236004", "Thank you!")).body).toEqual({});
  });
});

describe("whoever is not the gateway", () => {
  const number = "+46701236005";

  it.each<[string, Said]>([
    ["with another secret", { secret: "another-secret-that-has-32-characters-too" }],
    ["with what was overheard long ago", { ageSeconds: 301 }],
    ["with what is signed for later", { ageSeconds: -301 }],
  ])("(%s) is refused, and nothing happens", async (_what, options) => {
    const answer = await say(number, "STOP", options);
    expect(answer.status).toBe(403);
    expect(await isOptedOut(number)).toBe(false);
  });

  it("without a signature is refused", async () => {
    const body = { message_id: "in", from: number, text: "STOP" };
    expect((await product.call("POST", PATH, { body, as: "" })).status).toBe(403);
    expect(await isOptedOut(number)).toBe(false);
  });

  it("learns what is wrong with a message only if it is signed", async () => {
    const wrong = await say(number, "STOP", { more: { message_id: "" } });
    expect(wrong.status).toBe(400);
    expect(JSON.stringify(wrong.body["errors"])).toContain("message_id");
  });
});
