/** A stepped clock is a step for whoever goes by it, and for nobody else. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { startChaosRedis } from "./chaos-redis.ts";
import { createSteppableClock, type SteppableClock } from "./clock-steps.ts";

const HOUR_MS = 3_600_000;
/** Below any step here, above what a busy machine takes to answer. */
const NEAR_MS = HOUR_MS / 2;

let clock: SteppableClock;

beforeEach(async () => {
  clock = await createSteppableClock();
});

/** Asks until the clock is about as far ahead of the system's as it should be; then how far it is. */
async function expectAhead(ask: () => Promise<number>, aheadMs: number): Promise<void> {
  const off = async (): Promise<number> => Math.abs((await ask()) - Date.now() - aheadMs);
  await expect.poll(off).toBeLessThan(NEAR_MS);
}

it("Node follows it forwards and backwards, and its timers take no notice", async () => {
  const script =
    'process.stdin.on("data", () => console.log(Date.now() + " " + performance.now()))';
  const child = spawn(process.execPath, ["-e", script], {
    env: { ...clock.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await clock.close();
  });
  const lines = createInterface({ input: child.stdout });
  const look = async (): Promise<number[]> => {
    const answer = once(lines, "line");
    child.stdin.write("?\n");
    return String(await answer)
      .split(" ")
      .map(Number);
  };
  const wall = async (): Promise<number> => (await look())[0] ?? Number.NaN;

  await expectAhead(wall, 0);
  await clock.step(HOUR_MS);
  await expectAhead(wall, HOUR_MS);
  await clock.step(-2 * HOUR_MS);
  await expectAhead(wall, -HOUR_MS);
  expect(clock.offsetMs()).toBe(-HOUR_MS);
  expect((await look())[1]).toBeLessThan(NEAR_MS);
});

it("Redis follows it: TIME, and what expires", async () => {
  const redis = await startChaosRedis({ announce: () => {}, env: clock.env });
  const client = new Redis(redis.url);
  onTestFinished(async () => {
    client.disconnect();
    await redis.close();
    await clock.close();
  });
  const wall = async (): Promise<number> => Number((await client.time())[0]) * 1_000;

  await expectAhead(wall, 0);
  await client.set("short", "1", "PX", NEAR_MS);
  await clock.step(HOUR_MS);
  await expectAhead(wall, HOUR_MS);
  await expect.poll(async () => await client.get("short")).toBe(null);
  await clock.step(-HOUR_MS);
  await expectAhead(wall, 0);
  // What it survived is told in our time.
  await redis.kill();
  const { survivedUntil = Date.now() } = await redis.restart();
  expect(Math.abs(survivedUntil - Date.now())).toBeLessThan(NEAR_MS);
});
