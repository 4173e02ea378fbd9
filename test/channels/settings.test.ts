/** What an operator is told about keys and credentials at start, rather than at the first send. */
import { describe, expect, it } from "vitest";
import webPush from "web-push";
import { readPushSettings } from "../../src/channels/push/settings.ts";
import { readSmsSettings } from "../../src/channels/sms/settings.ts";
import { ConfigError, readConfig } from "../../src/platform/config.ts";
import type { Config } from "../../src/platform/config-schema.ts";

const PAIR = webPush.generateVAPIDKeys();
const OTHER = webPush.generateVAPIDKeys();
const TWILIO = {
  TWILIO_ACCOUNT_SID: "AC1",
  TWILIO_AUTH_TOKEN: "secret",
  TWILIO_FROM_NUMBER: "+15005550001",
};
const WEBHOOK = {
  SMS_WEBHOOK_URL: "https://sms.example/messages",
  SMS_WEBHOOK_SECRET: "s".repeat(32),
};
const PRODUCTION = {
  NODE_ENV: "production",
  REDIS_URL: "redis://127.0.0.1:6379",
  JWT_SECRET_KEY: "x".repeat(64),
  DATA_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64"),
};

function withPair(publicKey: string, privateKey: string): Config {
  return readConfig({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey });
}

function messageOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

describe("push settings", () => {
  it("take the configured pair before the development one", () => {
    const config = withPair(PAIR.publicKey, PAIR.privateKey);
    expect(readPushSettings(config, OTHER)?.keys.current.publicKey).toBe(PAIR.publicKey);
    expect(readPushSettings(readConfig({}), OTHER)?.keys.current.publicKey).toBe(OTHER.publicKey);
  });

  it("without any pair turn push off", () => {
    expect(readPushSettings(readConfig({}))).toBeUndefined();
  });

  it("refuse halves of different pairs", () => {
    const config = withPair(PAIR.publicKey, OTHER.privateKey);
    expect(() => readPushSettings(config)).toThrow("VAPID_PUBLIC_KEY does not belong");
  });

  it.each([
    [`${OTHER.publicKey}:${PAIR.privateKey}`, "entry 1 has a public key that does not belong"],
    [`${PAIR.publicKey}:${PAIR.privateKey}`, "entry 1 is the current pair"],
    [`${OTHER.publicKey}:${OTHER.privateKey},AAAA:AAAA`, "entry 2 has no P-256 private key"],
  ])("refuse earlier keys that could not sign, and repeat none of them: %#", (previous, said) => {
    const config = readConfig({
      VAPID_PUBLIC_KEY: PAIR.publicKey,
      VAPID_PRIVATE_KEY: PAIR.privateKey,
      VAPID_PREVIOUS_KEYS: previous,
    });
    const refusal = messageOf(() => readPushSettings(config));
    expect(refusal).toContain(`VAPID_PREVIOUS_KEYS: ${said}`);
    expect(refusal).not.toContain(PAIR.privateKey);
    expect(refusal).not.toContain(OTHER.privateKey);
  });

  it("name the variable for earlier keys that are no pairs, or have no pair after them", () => {
    const alone = { VAPID_PREVIOUS_KEYS: `${OTHER.publicKey}:${OTHER.privateKey}` };
    expect(messageOf(() => readConfig(alone))).toContain("VAPID_PREVIOUS_KEYS needs");
    const single = messageOf(() => readConfig({ VAPID_PREVIOUS_KEYS: OTHER.privateKey }));
    expect(single).toContain("VAPID_PREVIOUS_KEYS: must be public:private");
    expect(single).not.toContain(OTHER.privateKey);
  });

  it("refuse a private key that is none", () => {
    const config = withPair(PAIR.publicKey, "AAAA");
    expect(() => readPushSettings(config)).toThrow("VAPID_PRIVATE_KEY is not");
  });
});

describe("SMS settings", () => {
  it("without credentials show messages in development and turn SMS off in production", () => {
    expect(readSmsSettings(readConfig({}))).toEqual({ kind: "outbox" });
    expect(readSmsSettings(readConfig(PRODUCTION))).toEqual({ kind: "disabled" });
  });

  it("send from a number", () => {
    expect(readSmsSettings(readConfig(TWILIO))).toEqual({
      kind: "providers",
      providers: [
        {
          kind: "twilio",
          accountSid: "AC1",
          authToken: "secret",
          sender: { from: "+15005550001" },
          timeoutMs: 10_000,
        },
      ],
    });
  });

  it("prefer a messaging service, and can be sent elsewhere", () => {
    const config = readConfig({
      ...TWILIO,
      TWILIO_MESSAGING_SERVICE_SID: "MG1",
      TWILIO_API_URL: "http://127.0.0.1:9998",
    });
    expect(readSmsSettings(config)).toMatchObject({
      providers: [{ sender: { messagingServiceSid: "MG1" }, apiUrl: "http://127.0.0.1:9998" }],
    });
  });

  it.each([
    ["Twilio first unless told", {}, ["twilio", "webhook"]],
    ["as they are told", { SMS_PROVIDERS: "webhook,twilio" }, ["webhook", "twilio"]],
    ["only those that are named", { SMS_PROVIDERS: "webhook" }, ["webhook"]],
  ])("ask providers %s", (_name, env, order) => {
    const settings = readSmsSettings(readConfig({ ...TWILIO, ...WEBHOOK, ...env }));
    expect(settings.kind === "providers" && settings.providers.map(({ kind }) => kind)).toEqual(
      order,
    );
  });

  it("need no Twilio where there is a gateway", () => {
    const env = { ...PRODUCTION, ...WEBHOOK, PUBLIC_URL: "https://school.example" };
    expect(readSmsSettings(readConfig({ ...env, SMS_WEBHOOK_SENDER: "School" }))).toEqual({
      kind: "providers",
      providers: [
        {
          kind: "webhook",
          url: WEBHOOK.SMS_WEBHOOK_URL,
          secrets: [WEBHOOK.SMS_WEBHOOK_SECRET],
          sender: "School",
          callbackBase: "https://school.example",
          timeoutMs: 10_000,
        },
      ],
    });
  });

  it("refuse an account id that is something else", () => {
    const config = readConfig({ ...TWILIO, TWILIO_ACCOUNT_SID: "SK1" });
    expect(() => readSmsSettings(config)).toThrow("TWILIO_ACCOUNT_SID");
  });
});
