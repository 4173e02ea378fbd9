/** `npm run keys`: lines that make a production configuration complete. */
import { describe, expect, it } from "vitest";
import { readPushSettings } from "../../src/channels/push/settings.ts";
import { readConfig } from "../../src/platform/config.ts";
import { makeVapidPair } from "../../src/platform/key-material.ts";
import { runCli } from "./run-cli.ts";

function parseLines(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trim()
      .split("\n")
      .map((line) => {
        const equals = line.indexOf("=");
        return [line.slice(0, equals), line.slice(equals + 1)];
      }),
  );
}

it("prints all secrets that production asks for, and nothing else", async () => {
  const { code, stdout } = await runCli("keys", []);
  expect(code).toBe(0);
  const lines = parseLines(stdout);
  expect(Object.keys(lines)).toEqual([
    "JWT_SECRET_KEY",
    "VAPID_PUBLIC_KEY",
    "VAPID_PRIVATE_KEY",
    "DATA_ENCRYPTION_KEY",
  ]);
  const env = { NODE_ENV: "production", REDIS_URL: "redis://redis.example", ...lines };
  expect(readConfig(env).JWT_SECRET_KEY).toEqual([lines["JWT_SECRET_KEY"]]);
});

it("prints other secrets the next time", async () => {
  const [first, second] = await Promise.all([runCli("keys", []), runCli("keys", [])]);
  const values = new Set(Object.values(parseLines(first.stdout)));
  for (const value of Object.values(parseLines(second.stdout))) {
    expect(values.has(value)).toBe(false);
  }
});

describe("--rotate-vapid", () => {
  const present = makeVapidPair();
  const older = makeVapidPair();
  const PRESENT = {
    VAPID_PUBLIC_KEY: present.publicKey,
    VAPID_PRIVATE_KEY: present.privateKey,
    VAPID_PREVIOUS_KEYS: `${older.publicKey}:${older.privateKey}`,
  };

  it("prints a new pair, with the present one first behind it: all three go on signing", async () => {
    const { code, stdout } = await runCli("keys", ["--rotate-vapid"], PRESENT);
    expect(code).toBe(0);
    const keys = readPushSettings(readConfig(parseLines(stdout)))?.keys;
    expect(keys?.current.publicKey).not.toBe(present.publicKey);
    expect(keys?.ofPublicKey(present.publicKey)?.privateKey).toBe(present.privateKey);
    // What was stored before keys had names still belongs to the oldest.
    expect(keys?.ofSubscription(undefined)?.publicKey).toBe(older.publicKey);
  });

  it.each([
    ["there is none", {}, "no pair to rotate"],
    ["its halves do not match", { ...PRESENT, VAPID_PRIVATE_KEY: older.privateKey }, "not belong"],
  ])("says so if %s, and prints no key", async (_what, env, said) => {
    const { code, stdout, stderr } = await runCli("keys", ["--rotate-vapid"], env);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain(older.privateKey);
  });
});

it("explains itself, and refuses what it does not know", async () => {
  const help = await runCli("keys", ["--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain("npm run --silent keys >> .env");
  const wrong = await runCli("keys", ["--lenght", "5"]);
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain("--lenght");
});
