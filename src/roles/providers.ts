/** The push services and the SMS providers, each behind its circuit breakers. */
import { BREAKER_STATES } from "../channels/breaker/breaker.ts";
import { createBreakerTelling } from "../channels/breaker/breaker-census.ts";
import {
  createBreakers,
  type Breakers,
  type ProviderHealth,
} from "../channels/breaker/breakers.ts";
import { guardChannel, type GuardedChannel } from "../channels/breaker/guarded-channel.ts";
import {
  breakerSettings,
  createOriginLabels,
  originOfEndpoint,
} from "../channels/breaker/settings.ts";
import type { PushAddress, PushChannel, PushMessage } from "../channels/channel.ts";
import { createEndpointPolicy } from "../channels/push/endpoint-policy.ts";
import { createPushChannel } from "../channels/push/push-channel.ts";
import { readPushSettings } from "../channels/push/settings.ts";
import { createVapidFaults, type VapidFaults } from "../channels/push/vapid-faults.ts";
import type { SmsCaps } from "../channels/sms/caps.ts";
import type { SmsProvider } from "../channels/sms/provider-order.ts";
import type { Foundation } from "./foundation.ts";
import { openSmsCaps, openSmsProviders } from "./sms-providers.ts";

export interface Providers {
  readonly push: GuardedChannel<PushAddress, PushMessage>;
  /** In the order in which they are asked; none where SMS is switched off. */
  readonly sms: readonly SmsProvider[];
  readonly smsCaps: SmsCaps;
  /** Whether this installation has one at all. */
  readonly enabled: { readonly push: boolean; readonly sms: boolean };
  /** Tells other processes how they are doing, until the resources are closed. */
  start(): void;
}

/** A channel that is switched off never gets this far; answering so is the honest last resort. */
const SWITCHED_OFF = {
  send: async () => ({ kind: "rejected", detail: "switched off" }) as const,
};

function openPush(
  { config, secrets, clock, resources }: Foundation,
  faults: VapidFaults,
): PushChannel | undefined {
  const settings = readPushSettings(config, secrets.vapid);
  if (settings === undefined) return undefined;
  const policy = createEndpointPolicy(config.PUSH_ALLOWED_HOSTS);
  const channel = createPushChannel({ settings, policy, clock, faults });
  resources.add("push channel", () => channel.close());
  return channel;
}

/** A push service that refuses our keys works, and yet nobody there gets a push. */
function withKeys(health: ProviderHealth, refused: boolean): ProviderHealth {
  if (!refused) return health;
  const state = health.state === "healthy" ? "degraded" : health.state;
  return { ...health, state, reason: "keys_refused" };
}

export function createProviders(foundation: Foundation): Providers {
  const { config, clock, logger, metrics, resources, redis, keyspace, nodeId } = foundation;
  const breakersOf = (channel: "push" | "sms", labelOf: (origin: string) => string): Breakers =>
    createBreakers({
      channel,
      settings: breakerSettings(channel, config.PROVIDER_TIMEOUT_MS),
      clock,
      logger,
      random: Math.random,
      labelOf,
      onState(origin, state) {
        metrics.breakerState.set({ channel, origin }, BREAKER_STATES.indexOf(state));
        telling.tell();
      },
    });
  const labelOf = createOriginLabels(config.PUSH_ALLOWED_HOSTS);
  const push = breakersOf("push", labelOf);
  const sms = breakersOf("sms", (name) => name);
  const telling = createBreakerTelling({
    redis,
    keyspace,
    clock,
    nodeId,
    health: () => ({
      push: withKeys(push.health(), faults.stand()),
      sms: sms.health(),
    }),
  });
  const faults = createVapidFaults({
    clock,
    logger,
    onRefused: (origin) => metrics.pushKeysRefused.inc({ origin: labelOf(origin) }),
    onChange: () => telling.tell(),
  });
  const pushChannel = openPush(foundation, faults);
  const smsProviders = openSmsProviders(foundation, sms);
  return {
    enabled: { push: pushChannel !== undefined, sms: smsProviders.length > 0 },
    push: guardChannel({
      channel: pushChannel ?? SWITCHED_OFF,
      breakers: push,
      originOf: ({ endpoint }) => originOfEndpoint(endpoint),
    }),
    sms: smsProviders,
    smsCaps: openSmsCaps(foundation),
    start() {
      telling.start();
      resources.add("provider census", () => telling.close());
    },
  };
}
