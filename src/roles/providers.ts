/** The push services and the SMS providers, each behind its circuit breakers. */
import { BREAKER_STATES } from "../channels/breaker/breaker.ts";
import { createBreakerTelling } from "../channels/breaker/breaker-census.ts";
import { createBreakers, type Breakers } from "../channels/breaker/breakers.ts";
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

function openPush({ config, secrets, clock, resources }: Foundation): PushChannel | undefined {
  const settings = readPushSettings(config, secrets.vapid);
  if (settings === undefined) return undefined;
  const policy = createEndpointPolicy(config.PUSH_ALLOWED_HOSTS);
  const channel = createPushChannel({ settings, policy, clock });
  resources.add("push channel", () => channel.close());
  return channel;
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
  const push = breakersOf("push", createOriginLabels(config.PUSH_ALLOWED_HOSTS));
  const sms = breakersOf("sms", (name) => name);
  const telling = createBreakerTelling({
    redis,
    keyspace,
    clock,
    nodeId,
    health: () => ({ push: push.health(), sms: sms.health() }),
  });
  const pushChannel = openPush(foundation);
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
