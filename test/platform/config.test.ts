/** What an operator notices of the configuration: defaults, precise errors, production's refusals. */
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/platform/config-schema.ts";
import { describeConfig } from "../../src/platform/config-help.ts";
import { ConfigError, readConfig } from "../../src/platform/config.ts";
import { renderEnvExample } from "../support/env-example.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");

const PRODUCTION = {
  NODE_ENV: "production",
  REDIS_URL: "redis://redis.example:6379/0",
  JWT_SECRET_KEY: "a-secret-that-is-long-enough-for-hs256",
  DATA_ENCRYPTION_KEY: KEY,
};

function refusal(env: Record<string, string | undefined>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

describe("readConfig", () => {
  it("needs nothing in development", () => {
    const config = readConfig({});
    expect(config).toMatchObject({ NODE_ENV: "development", PORT: 8003, SHARDS: 16 });
    expect(config.ROLES).toEqual(["api", "gateway", "worker", "ingest", "projector"]);
  });

  it("takes an empty value as not set", () => {
    expect(readConfig({ PORT: "", REDIS_URL: "  " })).toEqual(readConfig({}));
  });

  it("parses lists, numbers and keys", () => {
    const config = readConfig({
      CORS_ORIGINS: "https://a.example, https://b.example,",
      PORT: "0",
      JWT_SECRET_KEY: "new,old",
      DATA_ENCRYPTION_KEY: KEY,
    });
    expect(config.CORS_ORIGINS).toEqual(["https://a.example", "https://b.example"]);
    expect(config.PORT).toBe(0);
    expect(config.JWT_SECRET_KEY).toEqual(["new", "old"]);
    expect(config.DATA_ENCRYPTION_KEY?.map((key) => key.length)).toEqual([32]);
  });

  it.each([
    ["PORT", "80800", "must be a whole number from 0 to 65535, not 80800"],
    ["PORT", "abc", "must be a whole number from 0 to 65535, not abc"],
    ["PORT", "80.5", "must be a whole number from 0 to 65535, not 80.5"],
    [
      "ROLES",
      "api,cook",
      "unknown role cook; must be all, or a comma list of api, gateway, worker, ingest, projector",
    ],
    [
      "ROLES",
      ",",
      "must be all, or a comma list of api, gateway, worker, ingest, projector, not ,",
    ],
    ["SHARDS", "257", "must be a whole number from 1 to 256, not 257"],
    ["KEY_PREFIX", "a{b}:", "must hold only letters, digits and _ . -"],
    ["PUBLIC_URL", "school", "must be an address such as https://app.example.org, not school"],
    ["VAPID_SUBJECT", "a@b.example", "must be a mailto: or https: address, not a@b.example"],
    ["DEFAULT_LOCALE", "de", "must be one of en, es, sv, fr, ar, zh, vi, not de"],
    [
      "LOG_LEVEL",
      "loud",
      "must be one of trace, debug, info, warn, error, fatal, silent, not loud",
    ],
    ["RATE_LIMITS", "maybe", "must be one of on, off, not maybe"],
    ["REDIS_BRIDGE", "yes", "must be one of true, false, not yes"],
    [
      "SMS_PROVIDERS",
      "twilio,pigeon",
      "must be a comma list of twilio, webhook, each at most once",
    ],
    ["SMS_PROVIDERS", "twilio,twilio", "must be a comma list of twilio, webhook"],
    ["SMS_SEGMENTS_PER_SECOND", "fast", "must be a number above 0 and up to 10000"],
    ["SMS_SEGMENTS_PER_SECOND", "twilio:1,webhook:0", "must be a number above 0"],
  ])("says what %s may be when it is %s", (name, value, words) => {
    expect(refusal({ [name]: value })).toContain(`\n  ${name}: ${words}`);
  });

  it.each([
    ["REDIS_URL", "http://user:hunter2@redis.example", "must be an address such as redis://"],
    ["DATA_ENCRYPTION_KEY", "hunter2", "must be 32 bytes in base64"],
    ["JWT_SECRET_KEY", ",", "must hold at least one secret"],
    ["SMS_WEBHOOK_SECRET", "hunter2", "must be at least 32 characters"],
    ["SMS_WEBHOOK_URL", "ftp://sms.example/?key=hunter2", "must be an address such as https://sms"],
  ])("does not repeat what %s is set to", (name, value, words) => {
    const message = refusal({ [name]: value });
    expect(message).toContain(`\n  ${name}: ${words}`);
    expect(message).not.toContain("hunter2");
    expect(message).not.toContain(", not");
  });

  it.each(Object.keys(configSchema.shape))("speaks its own words about %s", (name) => {
    const message = refusal({ [name]: "\u0000" });
    expect(message).not.toMatch(
      /invalid (input|option|string|url)|expected|received|too (big|small)/i,
    );
  });

  it("says which entry of a list is wrong", () => {
    const message = refusal({ KAFKA_BOOTSTRAP_SERVERS: "kafka-1:9092,kafka-2" });
    expect(message).toMatch(/KAFKA_BOOTSTRAP_SERVERS.*must be host:port/);
    expect(refusal({ KAFKA_TEACHER_TOPICS: "a topic" })).toMatch(/KAFKA_TEACHER_TOPICS.*topic/);
  });

  it("reads events of a bridge without Kafka", () => {
    expect(readConfig({ ROLES: "ingest", REDIS_BRIDGE: "true" }).REDIS_BRIDGE).toBe(true);
  });

  it("names all wrong values at once", () => {
    const message = refusal({ PORT: "x", SHARDS: "0", LOG_LEVEL: "loud" });
    for (const name of ["PORT", "SHARDS", "LOG_LEVEL"]) expect(message).toContain(name);
  });

  it.each([
    [{ VAPID_PUBLIC_KEY: "x" }, "VAPID_PRIVATE_KEY"],
    [{ TWILIO_ACCOUNT_SID: "AC1" }, "TWILIO_AUTH_TOKEN"],
    [{ TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "x" }, "TWILIO_FROM_NUMBER"],
    [{ SMS_WEBHOOK_URL: "https://sms.example/" }, "SMS_WEBHOOK_SECRET"],
    [{ SMS_PROVIDERS: "webhook" }, "SMS_PROVIDERS names webhook, which needs SMS_WEBHOOK_URL"],
    [{ KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "u" }, "KAFKA_SASL_PASSWORD"],
    [{ KAFKA_SASL_PASSWORD: "x" }, "KAFKA_SASL_MECHANISM"],
    [{ ROLES: "ingest,projector" }, "KAFKA_BOOTSTRAP_SERVERS"],
    [{ ROLES: "projector", REDIS_BRIDGE: "true" }, "KAFKA_BOOTSTRAP_SERVERS"],
    [{ HEARTBEAT_INTERVAL_MS: "1000", HEARTBEAT_TIMEOUT_MS: "900" }, "HEARTBEAT_TIMEOUT_MS"],
  ])("refuses half a setting: %o", (env, named) => {
    expect(refusal(env)).toContain(named);
  });

  it.each([
    // Each record that is put aside would be read, and put aside again.
    [{ KAFKA_DEAD_LETTER_TOPIC: "notifications.requested.v1" }, "KAFKA_NOTIFICATIONS_TOPIC"],
    [{ KAFKA_DEAD_LETTER_TOPIC: "notifications.outcome.v1" }, "KAFKA_OUTCOME_TOPIC"],
    [{ KAFKA_OUTCOME_TOPIC: "a.b", KAFKA_TEACHER_TOPICS: "c.d,a.b" }, "KAFKA_TEACHER_TOPICS"],
    [{ TEACHER_NOTIFICATION_TOPIC: "a.b", CLASS_CREATED_TOPIC: "a.b" }, "CLASS_CREATED_TOPIC"],
  ])("refuses one topic for two kinds of record: %o", (env, named) => {
    expect(refusal(env)).toContain(named);
  });

  it("lets domain events share a topic, and teacher events be read where they are written", () => {
    const shared = { CLASS_CREATED_TOPIC: "a.b", STUDENT_CREATED_TOPIC: "a.b" };
    const teachers = { KAFKA_TEACHER_TOPICS: "c.d,c.d", TEACHER_NOTIFICATION_TOPIC: "c.d" };
    expect(() => readConfig({ ...shared, ...teachers })).not.toThrow();
  });
});

describe("production", () => {
  it("accepts a complete configuration", () => {
    expect(readConfig(PRODUCTION).NODE_ENV).toBe("production");
  });

  it("accepts a key set in place of a secret", () => {
    const env = {
      ...PRODUCTION,
      JWT_SECRET_KEY: undefined,
      JWT_JWKS_URL: "https://id.example/jwks.json",
    };
    expect(readConfig(env).JWT_SECRET_KEY).toBeUndefined();
  });

  it.each(["REDIS_URL", "JWT_SECRET_KEY", "DATA_ENCRYPTION_KEY"])(
    "refuses to do without %s",
    (name) => {
      expect(refusal({ ...PRODUCTION, [name]: undefined })).toContain(name);
    },
  );

  it("refuses to forget a notification whose event may come again", () => {
    expect(refusal({ ...PRODUCTION, NOTE_TTL_SECONDS: "604799" })).toContain("NOTE_TTL_SECONDS");
    expect(refusal({ ...PRODUCTION, NOTE_TTL_SECONDS: "604800" })).toBe("");
  });

  it("refuses to run without rate limits", () => {
    expect(refusal({ ...PRODUCTION, RATE_LIMITS: "off" })).toContain("RATE_LIMITS");
  });
});

describe("secrets of tokens in production", () => {
  const LONG = "b".repeat(32);

  it.each([["short"], [`${LONG},short`], ["b".repeat(31)]])("may not be short: %s", (secrets) => {
    const message = refusal({ ...PRODUCTION, JWT_SECRET_KEY: secrets });
    expect(message).toContain("JWT_SECRET_KEY: every secret must have at least 32 bytes");
    expect(message).not.toContain(secrets);
  });

  it("are counted in bytes, and may be short in development", () => {
    expect(refusal({ ...PRODUCTION, JWT_SECRET_KEY: `${LONG},${"å".repeat(16)}` })).toBe("");
    expect(refusal({ JWT_SECRET_KEY: "short" })).toBe("");
  });
});

describe("links in messages", () => {
  const TWILIO = {
    TWILIO_ACCOUNT_SID: "AC1",
    TWILIO_AUTH_TOKEN: "x",
    TWILIO_FROM_NUMBER: "+46701234567",
  };

  it("lead nowhere by SMS in production unless it is said where", () => {
    expect(refusal({ ...PRODUCTION, ...TWILIO })).toContain("PUBLIC_URL is required");
    expect(refusal({ ...PRODUCTION, ...TWILIO, PUBLIC_URL: "https://app.example.org" })).toBe("");
    expect(refusal(TWILIO)).toBe("");
  });
});

describe("the list of variables", () => {
  const names = Object.keys(configSchema.shape);

  it("is in .env.example, in full and as it is (vitest run -u writes it anew)", async () => {
    await expect(renderEnvExample()).toMatchFileSnapshot("../../.env.example");
  });

  it("shows defaults that are the defaults", () => {
    const shown = [...renderEnvExample().matchAll(/^#([A-Z][A-Z_]+)=(.*)$/gm)];
    expect(shown.map((match) => match[1])).toEqual(names);
    const env = Object.fromEntries(shown.map((match) => [match[1], match[2]]));
    expect(readConfig(env)).toEqual(readConfig({}));
  });

  it("describes every variable, there and in --help", () => {
    const help = describeConfig();
    for (const [name, schema] of Object.entries(configSchema.shape)) {
      expect(schema.description, name).toMatch(/\S/);
      expect(help).toMatch(new RegExp(`^  ${name}( |$)`, "m"));
    }
  });

  it("shows in --help what each may be and what it is unless it is set, aligned", () => {
    const help = describeConfig();
    expect(help).toMatch(
      /^  PORT +HTTP and WebSocket port; 0 picks a free one \(0\.\.65535\) \[8003\]$/m,
    );
    expect(help).toMatch(
      /^  NODE_ENV [^[]+\(development,\s+production,\s+test\)\s+\[development\]$/m,
    );
    for (const line of help.split("\n")) {
      expect(line.length).toBeLessThanOrEqual(100);
      if (line.startsWith("  ")) expect(line).toMatch(/^(  [A-Z_]+ *$|(  [A-Z_]+ +| {36})\S)/);
    }
  });
});
