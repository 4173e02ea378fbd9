/** The push services and the SMS provider, each behind its circuit breakers. */
import { BREAKER_STATES } from "../channels/breaker/breaker.ts";
import { createBreakerTelling } from "../channels/breaker/breaker-census.ts";
import { createBreakers, type Breakers } from "../channels/breaker/breakers.ts";
import { guardChannel, type GuardedChannel } from "../channels/breaker/guarded-channel.ts";
import {
  breakerSettings,
  createOriginLabels,
  originOfEndpoint,
} from "../channels/breaker/settings.ts";
import type {
  FindSms,
  PushAddress,
  PushChannel,
  PushMessage,
  SmsAddress,
  SmsChannel,
  SmsMessage,
} from "../channels/channel.ts";
import { createEndpointPolicy } from "../channels/push/endpoint-policy.ts";
import { createPushChannel } from "../channels/push/push-channel.ts";
import { readPushSettings } from "../channels/push/settings.ts";
import { createSmsOutbox } from "../channels/sms/outbox.ts";
import { readSmsSettings } from "../channels/sms/settings.ts";
import { createOutboxSmsChannel } from "../channels/sms/sms-channel-outbox.ts";
import { createTwilioSmsChannel } from "../channels/sms/sms-channel-twilio.ts";
import type { Foundation } from "./foundation.ts";

export interface Providers {
  readonly push: GuardedChannel<PushAddress, PushMessage>;
  readonly sms: GuardedChannel<SmsAddress, SmsMessage>;
  /** Whom SMS are handed over to. */
  readonly smsName: string;
  /** How a provider is asked what it took; undefined for one that cannot be asked, or is no more. */
  readonly findSmsOf: (provider: string) => FindSms | undefined;
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

interface NamedSms {
  readonly name: string;
  readonly channel: SmsChannel | undefined;
  readonly find?: FindSms;
}

function openSms(foundation: Foundation): NamedSms {
  const { config, clock, resources, redis, keyspace, sealing } = foundation;
  const sms = readSmsSettings(config);
  switch (sms.kind) {
    case "disabled":
      return { name: sms.kind, channel: undefined };
    case "outbox": {
      const outbox = createSmsOutbox({ redis, keyspace, sealing });
      return { name: sms.kind, channel: createOutboxSmsChannel({ outbox, clock }) };
    }
    case "twilio": {
      const channel = createTwilioSmsChannel({ settings: sms, clock });
      resources.add("sms channel", () => channel.close());
      return { name: sms.kind, channel, find: channel.find };
    }
  }
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
  const { name, channel: smsChannel, find } = openSms(foundation);
  return {
    enabled: { push: pushChannel !== undefined, sms: smsChannel !== undefined },
    push: guardChannel({
      channel: pushChannel ?? SWITCHED_OFF,
      breakers: push,
      originOf: ({ endpoint }) => originOfEndpoint(endpoint),
    }),
    sms: guardChannel({ channel: smsChannel ?? SWITCHED_OFF, breakers: sms, originOf: () => name }),
    smsName: name,
    findSmsOf: (provider) => (provider === name ? find : undefined),
    start() {
      telling.start();
      resources.add("provider census", () => telling.close());
    },
  };
}
