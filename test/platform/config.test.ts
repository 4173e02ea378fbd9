/** What an operator notices of the configuration: defaults, precise errors, production's refusals. */
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/platform/config-schema.ts";
import { ConfigError, describeConfig, readConfig } from "../../src/platform/config.ts";
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
    expect(config.ROLES).toEqual(["api", "gateway", "worker"]);
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
    expect(config.DATA_ENCRYPTION_KEY).toHaveLength(32);
  });

  it.each([
    ["PORT", "80800"],
    ["PORT", "eighty"],
    ["ROLES", "api,cook"],
    ["SHARDS", "257"],
    ["KEY_PREFIX", "a{b}:"],
    ["REDIS_URL", "http://redis.example"],
    ["DATA_ENCRYPTION_KEY", "c2hvcnQ="],
    ["VAPID_SUBJECT", "operator@example.org"],
    ["DEFAULT_LOCALE", "de"],
    ["LOG_LEVEL", "loud"],
    ["RATE_LIMITS", "maybe"],
  ])("names %s when it is %s", (name, value) => {
    expect(refusal({ [name]: value })).toContain(`\n  ${name}: `);
  });

  it("names all wrong values at once", () => {
    const message = refusal({ PORT: "x", SHARDS: "0", LOG_LEVEL: "loud" });
    for (const name of ["PORT", "SHARDS", "LOG_LEVEL"]) expect(message).toContain(name);
  });

  it.each([
    [{ VAPID_PUBLIC_KEY: "x" }, "VAPID_PRIVATE_KEY"],
    [{ TWILIO_ACCOUNT_SID: "AC1" }, "TWILIO_AUTH_TOKEN"],
    [{ TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "x" }, "TWILIO_FROM_NUMBER"],
    [{ HEARTBEAT_INTERVAL_MS: "1000", HEARTBEAT_TIMEOUT_MS: "900" }, "HEARTBEAT_TIMEOUT_MS"],
  ])("refuses half a setting: %o", (env, named) => {
    expect(refusal(env)).toContain(named);
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

  it("refuses to run without rate limits", () => {
    expect(refusal({ ...PRODUCTION, RATE_LIMITS: "off" })).toContain("RATE_LIMITS");
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
      expect(help).toContain(`${name} `);
    }
  });
});
