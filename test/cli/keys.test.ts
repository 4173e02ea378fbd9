/** `npm run keys`: lines that make a production configuration complete. */
import { expect, it } from "vitest";
import { readConfig } from "../../src/platform/config.ts";
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

it("explains itself, and refuses what it does not know", async () => {
  const help = await runCli("keys", ["--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain("npm run --silent keys >> .env");
  const wrong = await runCli("keys", ["--lenght", "5"]);
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain("--lenght");
});
