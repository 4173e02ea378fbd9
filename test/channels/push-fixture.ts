/** A push channel that may talk to one push service of the tests, and messages for it. */
import webPush from "web-push";
import type { PushMessage } from "../../src/channels/channel.ts";
import { createEndpointPolicy } from "../../src/channels/push/endpoint-policy.ts";
import {
  createPushChannel,
  type PushChannelOptions,
} from "../../src/channels/push/push-channel.ts";
import { createVapidKeys, type VapidKeys } from "../../src/channels/push/vapid-keys.ts";
import { createSystemClock, type Clock } from "../../src/platform/clock.ts";

export const VAPID = { ...webPush.generateVAPIDKeys(), subject: "mailto:operator@example.org" };
export const TIMEOUT_MS = 10_000;

export function openPushChannel(
  allowedHosts: readonly string[],
  overrides: {
    clock?: Clock;
    keys?: VapidKeys;
    timeoutMs?: number;
    faults?: PushChannelOptions["faults"];
  } = {},
): ReturnType<typeof createPushChannel> {
  return createPushChannel({
    settings: {
      keys: overrides.keys ?? createVapidKeys(VAPID),
      subject: VAPID.subject,
      timeoutMs: overrides.timeoutMs ?? TIMEOUT_MS,
    },
    faults: overrides.faults ?? { refused: () => {}, taken: () => {} },
    policy: createEndpointPolicy(allowedHosts),
    clock: overrides.clock ?? createSystemClock(),
  });
}

export function pushMessage(overrides: Partial<PushMessage> = {}): PushMessage {
  return {
    noteId: "01000000-0000-8000-8000-000000000001",
    payload: JSON.stringify({ title: "Läxa", body: "Ny uppgift 📚" }),
    ttlSeconds: 3_600,
    urgency: "high",
    topic: "homework-7",
    ...overrides,
  };
}
