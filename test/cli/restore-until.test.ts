/** `restore` is told when the Redis before was lost; nothing can have been lost later than now. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { runCli } from "./run-cli.ts";

const HOUR_MS = 3_600_000;

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});
afterAll(() => store.close());

it.each(["check", "hold-texts", "expire"])("%s takes no time that lies ahead", async (command) => {
  const env = { REDIS_URL: store.url, KEY_PREFIX: store.prefix };
  const at = async (ms: number): Promise<string[]> => {
    const until = new Date(Date.now() + ms).toISOString();
    const { code, stderr } = await runCli(
      "schoolbell",
      ["restore", command, "--until", until],
      env,
    );
    return [String(code), stderr];
  };
  expect(await at(-HOUR_MS)).toEqual(["0", ""]);
  const [code, said] = await at(HOUR_MS);
  expect(code).toBe("1");
  expect(said).toContain("--until lies ahead");
});
