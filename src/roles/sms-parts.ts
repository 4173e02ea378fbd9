/** What becomes of an SMS after it was handed over: what is known of it, who may say so, and where. */
import { callbackBase } from "../channels/sms/callback-address.ts";
import { createCallbackTokens, type CallbackTokens } from "../channels/sms/callback-token.ts";
import { createOptOuts } from "../channels/sms/opt-outs.ts";
import { toE164 } from "../channels/sms/phone-number.ts";
import { createSmsRecords, type SmsRecords } from "../channels/sms/sms-records.ts";
import { webhookStatusRoutes } from "../channels/sms/webhook-status-routes.ts";
import { createTwilioSignature } from "../channels/sms/twilio-signature.ts";
import { carrierRoutes } from "../delivery/carrier-routes.ts";
import { createSmsReports, type SmsReports } from "../delivery/sms-reports.ts";
import type { Route } from "../http/route.ts";
import { createReopening } from "../tracking/reopening.ts";
import type { DeliveryParts } from "./delivery-parts.ts";
import type { Foundation } from "./foundation.ts";

export interface SmsParts {
  readonly records: SmsRecords;
  readonly reports: SmsReports;
  /** Undefined where providers cannot reach this service. */
  readonly tokens: CallbackTokens | undefined;
}

export function createSmsParts(
  foundation: Foundation,
  { ledger, receipts }: Pick<DeliveryParts, "ledger" | "receipts">,
): SmsParts {
  const { config, redis, keyspace, sealing, clock, logger, sideBySide } = foundation;
  const records = createSmsRecords({ redis, keyspace, sealing });
  const reopen = createReopening({
    redis,
    keyspace,
    clock,
    formats: sideBySide.formats,
    outcomes: config.KAFKA_BOOTSTRAP_SERVERS !== undefined,
    noteSeconds: config.NOTE_TTL_SECONDS,
  });
  return {
    records,
    reports: createSmsReports({ records, ledger, receipts, reopen, clock, logger }),
    tokens:
      callbackBase(config) === undefined ? undefined : createCallbackTokens({ sealing, keyspace }),
  };
}

/** None where no provider is used that can reach this service. */
export function smsRoutes(foundation: Foundation, { tokens, reports }: SmsParts): Route[] {
  const { config, redis, keyspace, sealing, clock } = foundation;
  const { TWILIO_AUTH_TOKEN: authToken, SMS_WEBHOOK_SECRET: secrets } = config;
  const base = callbackBase(config);
  if (base === undefined || tokens === undefined) return [];
  const optOuts = createOptOuts({ redis, keyspace, sealing, clock });
  const shared = { tokens, reports, optOuts, toE164 };
  const signature = authToken && createTwilioSignature({ authToken, base });
  return [
    ...(signature ? carrierRoutes({ ...shared, signature }) : []),
    ...(secrets ? webhookStatusRoutes({ ...shared, secrets, clock }) : []),
  ];
}
