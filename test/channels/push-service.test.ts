/** The tests' own push service is as strict as a real one; a lenient one would prove nothing. */
import webPush from "web-push";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPushService, type PushService } from "../support/push-service.ts";
import { VAPID } from "./push-fixture.ts";

let service: PushService;

beforeAll(async () => {
  service = await startPushService();
});
afterAll(async () => {
  await service.close();
});

interface Altered {
  /** Headers to add, change or (undefined) leave out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly vapid?: {
    readonly subject: string;
    readonly publicKey: string;
    readonly privateKey: string;
  };
  readonly audience?: string;
  readonly expiresInSeconds?: number;
  readonly body?: Buffer;
}

/** A faultless request but for what the test alters. */
async function post({ vapid = VAPID, ...altered }: Altered): Promise<number> {
  const browser = service.subscribe(VAPID.publicKey);
  const { headers, body } = webPush.generateRequestDetails(browser, "Hello", { TTL: 60 });
  const signed = webPush.getVapidHeaders(
    altered.audience ?? service.origin,
    vapid.subject,
    vapid.publicKey,
    vapid.privateKey,
    "aes128gcm",
    Math.floor(Date.now() / 1_000) + (altered.expiresInSeconds ?? 3_600),
  );
  const merged = Object.entries({ ...headers, ...signed, ...altered.headers }).flatMap(
    ([name, value]): [string, string][] =>
      // fetch counts the body by itself.
      value === undefined || name === "Content-Length" ? [] : [[name, value]],
  );
  const sent = new Uint8Array(altered.body ?? body);
  const answer = await fetch(browser.endpoint, { method: "POST", headers: merged, body: sent });
  await answer.arrayBuffer();
  return answer.status;
}

describe("the tests' push service", () => {
  it("takes a faultless message", async () => {
    expect(await post({})).toBe(201);
    expect((await service.next()).payload).toBe("Hello");
  });

  it.each<[what: string, altered: Altered, status: number]>([
    ["no signature", { headers: { Authorization: undefined } }, 401],
    ["another scheme", { headers: { Authorization: "Bearer abc" } }, 401],
    ["another sender", { vapid: { ...webPush.generateVAPIDKeys(), subject: VAPID.subject } }, 403],
    [
      "a signature by another key",
      { vapid: { ...VAPID, privateKey: webPush.generateVAPIDKeys().privateKey } },
      403,
    ],
    ["a signature for another service", { audience: "https://push.example.org" }, 403],
    ["an expired signature", { expiresInSeconds: -60 }, 403],
    ["no TTL", { headers: { TTL: undefined } }, 400],
    ["a TTL that is no number", { headers: { TTL: "soon" } }, 400],
    ["an unknown urgency", { headers: { Urgency: "extreme" } }, 400],
    ["a topic that is too long", { headers: { Topic: "x".repeat(33) } }, 400],
    ["another encoding", { headers: { "Content-Encoding": "aesgcm" } }, 400],
    ["a body that nobody encrypted", { body: Buffer.alloc(200, 1) }, 400],
    ["a body above 4,096 bytes", { body: Buffer.alloc(4_097, 1) }, 413],
  ])("refuses %s", async (_what, altered, status) => {
    const taken = service.received.length;
    expect(await post(altered)).toBe(status);
    expect(service.received).toHaveLength(taken);
  });
});
