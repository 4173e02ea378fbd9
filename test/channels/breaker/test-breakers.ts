/** Breakers with the product's settings, and with chance left out. */
import { createBreakers, type Breakers } from "../../../src/channels/breaker/breakers.ts";
import { breakerSettings } from "../../../src/channels/breaker/settings.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import type { ManualClock } from "../../support/manual-clock.ts";

/** Of a request to a provider. */
export const TIMEOUT_MS = 10_000;

export const createTestBreakers = (channel: "push" | "sms", clock: ManualClock): Breakers =>
  createBreakers({
    channel,
    settings: breakerSettings(channel, TIMEOUT_MS),
    clock,
    random: () => 1,
    labelOf: () => "one",
    onState: () => {},
    logger: createSilentLogger(),
  });
