/** STOP from a phone, through Twilio's webhook, to the next text message that is not sent. */
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProductWithProviders, type ProductWithProviders } from "./product-with-providers.ts";
import { matchingFor, meetingFor, someone } from "./requests.ts";

const BASE = "https://notify.riverside-school.example";
const PATH = "/webhooks/twilio/inbound";
let setup: ProductWithProviders;
let messages = 0;

beforeAll(async () => {
  setup = await startProductWithProviders({ CALLBACK_URL: BASE, DEFAULT_LOCALE: "sv" });
});
afterAll(async () => await setup.stop());

interface Sent {
  readonly base?: string;
  readonly signature?: string | undefined;
  readonly sid?: string;
  readonly more?: Readonly<Record<string, string>>;
}

/** As Twilio signs: the address, then every field and its value, sorted. */
function sign(form: Readonly<Record<string, string>>, base = BASE): string {
  const fields = Object.keys(form).sort();
  const text = base + PATH + fields.map((name) => name + (form[name] ?? "")).join("");
  return createHmac("sha1", setup.twilio.authToken).update(text).digest("base64");
}

async function say(from: string, text: string, options: Sent = {}) {
  messages += 1;
  const form = {
    MessageSid: options.sid ?? `SM${String(messages).padStart(32, "0")}`,
    AccountSid: setup.twilio.accountSid,
    From: from,
    To: "+15005550006",
    Body: text,
    NumMedia: "0",
    ...options.more,
  };
  const signature = "signature" in options ? options.signature : sign(form, options.base);
  const response = await fetch(setup.product.url + PATH, {
    method: "POST",
    body: new URLSearchParams(form),
    headers: signature === undefined ? {} : { "x-twilio-signature": signature },
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const smsOf = (body: Record<string, unknown>): unknown =>
  Object(body["channel_details"]).sms?.reason ?? Object(body["channels"]).sms;
const notify = async (request: object): Promise<unknown> =>
  smsOf((await setup.product.notify(request)).body);
const received = (number: string): number =>
  setup.twilio.received.filter(({ to }) => to === number).length;

describe("STOP", () => {
  it("wins over everything, critical included, whoever the number is said to belong to", async () => {
    const number = "+46701235001";
    const answer = await say(number, " Stop! ");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("xml");
    expect(answer.text).toContain("<Message>Du får inga fler sms från oss.");
    expect(await notify(matchingFor(someone(), number))).toBe("opted_out");
    const raised = { ...meetingFor(someone(), number), priority: "critical" };
    expect(await notify(raised)).toBe("opted_out");
    expect(received(number)).toBe(0);

    expect((await say(number, "START")).text).toContain("<Message>Du får sms från oss igen.");
    expect(await notify(matchingFor(someone(), number))).toBe("delivered");
    expect(received(number)).toBe(1);
  });

  it("leaves the other ways open: the sender sees that only SMS is closed", async () => {
    const number = "+46701235002";
    await say(number, "STOP");
    const userId = someone();
    const tab = await setup.openTab(userId);
    const { body } = await setup.product.notify({
      ...matchingFor(userId, number),
      strategy: "all",
    });
    expect(body).toMatchObject({ status: "delivered", channels: { sms: "skipped" } });
    expect((await tab.nextNotification())["notification_id"]).toBe(body["notification_id"]);
    await tab.close();
  });

  it("counts though it comes between the last look and the sending", async () => {
    const number = "+46701235003";
    const { redis } = setup.product.foundation;
    const look = redis.exists.bind(redis);
    let looks = 0;
    // The first look finds nothing, and before its answer is acted upon the person has said STOP.
    Reflect.set(redis, "exists", async (key: string) => {
      const found = await look(key);
      if (key.includes("optout:")) {
        looks += 1;
        if (looks === 1) await say(number, "STOP");
      }
      return found;
    });
    try {
      expect(await notify(matchingFor(someone(), number))).toBe("opted_out");
    } finally {
      Reflect.deleteProperty(redis, "exists");
    }
    expect(looks).toBeGreaterThan(1);
    expect(received(number)).toBe(0);
  });

  it("of which Twilio has told the sender itself is honoured, and not answered again", async () => {
    const number = "+46701235004";
    const answer = await say(number, "ALTO", { more: { OptOutType: "STOP" } });
    expect(answer.text).toContain("<Response></Response>");
    expect(await notify(matchingFor(someone(), number))).toBe("opted_out");
    const back = await say(number, "VOLVER", { more: { OptOutType: "START" } });
    expect(back.text).toContain("<Response></Response>");
    expect(await notify(matchingFor(someone(), number))).toBe("delivered");
  });

  it("that Twilio repeats is answered the same, and does not undo a START in between", async () => {
    const number = "+46701235005";
    const sid = `SM${"a".repeat(32)}`;
    const first = await say(number, "STOP", { sid });
    await say(number, "UNSTOP");
    const again = await say(number, "STOP", { sid });
    expect(again.text).toBe(first.text);
    expect(await notify(matchingFor(someone(), number))).toBe("delivered");
  });

  it("leaves a line in the audit trail, which does not show the number", async () => {
    const number = "+46701235006";
    const as = await setup.product.token("admin-1", ["admin"]);
    await say(number, "CANCEL");
    await say(number, "YES");
    const trail = JSON.stringify(
      (await setup.product.call("GET", "/audit?limit=500", { as })).body,
    );
    expect(trail).not.toContain(number.slice(3));
    expect(trail).toMatch(
      /"action":"sms_opted_out"[^}]*"caller":"twilio"[^}]*"number":"[0-9a-f]{16}"/,
    );
    expect(trail).toContain("sms_opted_in");
  });
});

describe("other messages", () => {
  it("that ask for help are answered, and change nothing", async () => {
    const number = "+46701235007";
    const answer = await say(number, "help");
    expect(answer.text).toContain("<Message>Det här är meddelanden från din skola.");
    expect(await notify(matchingFor(someone(), number))).toBe("delivered");
  });

  it("are taken, and answered by nothing", async () => {
    const answer = await say("+46701235008", "Please stop by the office <now> & bring the form");
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.text).toContain("<Response></Response>");
  });
});

describe("whoever is not Twilio", () => {
  const number = "+46701235009";

  it.each<[string, Sent]>([
    ["without a signature", { signature: undefined }],
    ["with an empty one", { signature: "" }],
    ["with a made-up one", { signature: "0/KCTR6DLpKmkAf8muzZqo1nDgQ=" }],
    ["with one over another address", { base: "https://elsewhere.example" }],
  ])("(%s) is refused, and nothing happens", async (_what, options) => {
    const answer = await say(number, "STOP", options);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text)).toMatchObject({
      code: "forbidden",
      // Most often it is the address that was set up wrongly: at Twilio, or here.
      detail: expect.stringContaining(BASE + PATH),
    });
    expect(await notify(matchingFor(someone(), number))).toBe("delivered");
  });

  it("cannot change a field of what Twilio signed", async () => {
    const form = { MessageSid: "SM1", From: "+46701235010", Body: "STOP" };
    const body = new URLSearchParams({ ...form, From: number });
    const headers = { "x-twilio-signature": sign(form) };
    const answer = await fetch(setup.product.url + PATH, { method: "POST", body, headers });
    expect(answer.status).toBe(403);
  });

  it("finds no room for much, and no other kind of body", async () => {
    const large = await say(number, "x".repeat(20_000), { signature: "" });
    expect(large.status).toBe(413);
    const json = await setup.product.call("POST", PATH, { body: { Body: "STOP" }, as: "" });
    expect(json.status).toBe(415);
  });
});
