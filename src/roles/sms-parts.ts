/** What becomes of an SMS after it was handed over: what is known of it, who may say so, and where. */
import { callbackBase } from "../channels/sms/callback-address.ts";
import { createCallbackTokens, type CallbackTokens } from "../channels/sms/callback-token.ts";
import { createOptOuts } from "../channels/sms/opt-outs.ts";
import { toE164 } from "../channels/sms/phone-number.ts";
import { createSmsRecords, type SmsRecords } from "../channels/sms/sms-records.ts";
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

/** None where Twilio is not used, or cannot reach this service. */
export function smsRoutes(foundation: Foundation, { tokens, reports }: SmsParts): Route[] {
  const { config, redis, keyspace, sealing, clock } = foundation;
  const base = callbackBase(config);
  const authToken = config.TWILIO_AUTH_TOKEN;
  if (base === undefined || tokens === undefined || authToken === undefined) return [];
  return carrierRoutes({
    signature: createTwilioSignature({ authToken, base }),
    tokens,
    reports,
    optOuts: createOptOuts({ redis, keyspace, sealing, clock }),
    toE164,
  });
}
