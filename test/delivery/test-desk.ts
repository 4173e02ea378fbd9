/** A desk as the tests of stages need it: every channel allowed, nothing queued, nobody told. */
import { createStageDesk, type StageDesk } from "../../src/delivery/stage-desk.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { LEASE_MS } from "../tracking/test-ledger.ts";

type DeskOptions = Parameters<typeof createStageDesk>[0];

const ALL_CHANNELS = { websocket: true, push: true, sms: true };

/** @param given what matters to the test: the clock and the ledger, and whatever else differs */
export function createTestDesk(
  given: Pick<DeskOptions, "clock" | "ledger"> & Partial<DeskOptions>,
): StageDesk {
  return createStageDesk({
    preferences: {
      readMany: async (ids) => new Map(ids.map((id) => [id, { channels: ALL_CHANNELS }] as const)),
    },
    enqueue: async () => {},
    enabled: ALL_CHANNELS,
    leaseMs: LEASE_MS,
    logger: createSilentLogger(),
    canWord: () => true,
    leftToOthers: async () => false,
    onSettled: () => {},
    onAttempt: () => {},
    ...given,
  });
}
