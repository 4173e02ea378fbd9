/** The SMS providers of this installation, in the order in which they are asked. */
import type { Breakers } from "../channels/breaker/breakers.ts";
import { guardChannel } from "../channels/breaker/guarded-channel.ts";
import type { FindSms, SmsChannel } from "../channels/channel.ts";
import { createSmsCaps, NO_SMS_CAPS, type SmsCaps } from "../channels/sms/caps.ts";
import { createSmsOutbox } from "../channels/sms/outbox.ts";
import type { SmsProvider } from "../channels/sms/provider-order.ts";
import { readSmsSettings, type SmsProviderSettings } from "../channels/sms/settings.ts";
import { createOutboxSmsChannel } from "../channels/sms/sms-channel-outbox.ts";
import { createTwilioSmsChannel } from "../channels/sms/sms-channel-twilio.ts";
import { createWebhookSmsChannel } from "../channels/sms/sms-channel-webhook.ts";
import {
  createSmsThroughput,
  UNLIMITED_THROUGHPUT,
  type SmsThroughput,
} from "../channels/sms/throughput.ts";
import type { Foundation } from "./foundation.ts";

/** Where a load test is run. */
const isUnlimited = ({ config }: Foundation): boolean => config.RATE_LIMITS === "off";

interface Opened {
  readonly channel: SmsChannel;
  readonly find?: FindSms;
}

function openChannel(settings: SmsProviderSettings, foundation: Foundation): Opened {
  const { clock, resources } = foundation;
  switch (settings.kind) {
    case "twilio": {
      const channel = createTwilioSmsChannel({ settings, clock });
      resources.add("twilio channel", () => channel.close());
      return { channel, find: channel.find };
    }
    case "webhook": {
      const channel = createWebhookSmsChannel({ settings, clock });
      resources.add("sms webhook channel", () => channel.close());
      return { channel };
    }
  }
}

function throughputOf({ kind }: SmsProviderSettings, foundation: Foundation): SmsThroughput {
  const { config, redis, keyspace, clock } = foundation;
  if (isUnlimited(foundation)) return UNLIMITED_THROUGHPUT;
  const segmentsPerSecond = config.SMS_SEGMENTS_PER_SECOND[kind];
  return createSmsThroughput({ redis, keyspace, clock, provider: kind, segmentsPerSecond });
}

/** None where SMS is switched off. */
export function openSmsProviders(foundation: Foundation, breakers: Breakers): SmsProvider[] {
  const { config, clock, redis, keyspace, sealing } = foundation;
  const guard = (name: string, channel: SmsChannel): SmsProvider["channel"] =>
    guardChannel({ channel, breakers, originOf: () => name });
  const sms = readSmsSettings(config);
  switch (sms.kind) {
    case "disabled":
      return [];
    case "outbox": {
      const outbox = createSmsOutbox({ redis, keyspace, sealing });
      const channel = guard(sms.kind, createOutboxSmsChannel({ outbox, clock }));
      return [{ name: sms.kind, channel, throughput: UNLIMITED_THROUGHPUT }];
    }
    case "providers":
      return sms.providers.map((settings) => {
        const { channel, find } = openChannel(settings, foundation);
        return {
          name: settings.kind,
          channel: guard(settings.kind, channel),
          throughput: throughputOf(settings, foundation),
          find,
        };
      });
  }
}

export function openSmsCaps(foundation: Foundation): SmsCaps {
  const { config, redis, keyspace, sealing, clock } = foundation;
  if (isUnlimited(foundation)) return NO_SMS_CAPS;
  return createSmsCaps({
    redis,
    keyspace,
    sealing,
    clock,
    perUser: config.SMS_CAP_USER_DAY,
    perNumber: config.SMS_CAP_NUMBER_DAY,
  });
}
