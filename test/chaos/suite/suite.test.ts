/** The short form of `npm run chaos`: five runs in which processes, Redis, Kafka and providers fail. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { FaultName } from "./faults/faults.ts";
import { performRun } from "./perform.ts";
import { planRun } from "./plan.ts";
import { runLines } from "./report/summary.ts";
import { isSound } from "./report/result.ts";
import { openStand, type Stand } from "./stand.ts";

/** A run takes a minute; this is for a machine that does ten other things. */
const RUN_TIMEOUT_MS = 900_000;
/** Enough that something is always under way, for two cores that run other tests as well. */
const RATE_PER_SECOND = 20;

const RUNS: readonly (readonly [seed: number, faults: readonly FaultName[]])[] = [
  [101, ["kill-worker", "push-failing"]],
  [102, ["redis-kill", "kill-gateway", "sms-accepting-then-hanging"]],
  [103, ["redis-rollback"]],
  [104, ["kafka-kill", "kill-ingest", "clients-vanish"]],
  [105, ["rolling-restart"]],
];

vi.setConfig({ testTimeout: RUN_TIMEOUT_MS, hookTimeout: RUN_TIMEOUT_MS });

let stand: Stand;
beforeAll(async () => {
  stand = await openStand(() => {});
});
afterAll(async () => await stand.close());

it.each(RUNS)("seed %i: %j, and every promise is kept", async (seed, faults) => {
  const plan = planRun({ seed, faults, ratePerSecond: RATE_PER_SECOND });
  const result = await performRun(plan, { stand, times: "short" });
  expect(isSound(result), runLines(result).join("\n")).toBe(true);
  // A run in which nothing happened proves nothing.
  expect(result.asked).toBeGreaterThan(100);
});
