/** What becomes of an SMS after it was handed over, on a ledger of the tests' own. */
import type { FindSms } from "../../src/channels/channel.ts";
import {
  createCallbackTokens,
  type CallbackTokens,
} from "../../src/channels/sms/callback-token.ts";
import { createSmsRecords, type SmsRecords } from "../../src/channels/sms/sms-records.ts";
import { createSmsLookup, type SmsLookup } from "../../src/delivery/sms-lookup.ts";
import { createSmsReports, type SmsReports } from "../../src/delivery/sms-reports.ts";
import type { StageDesk } from "../../src/delivery/stage-desk.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { createReopening } from "../../src/tracking/reopening.ts";
import type { TestLedger } from "../tracking/test-ledger.ts";

/** As the configuration has it. */
export const LOOKUPS_MS = [30_000, 120_000, 600_000, 3_600_000];
export const SMS_TIMEOUT_MS = 10_000;

export interface TestSmsParts {
  readonly records: SmsRecords;
  readonly reports: SmsReports;
  readonly tokens: CallbackTokens;
  readonly lookup: SmsLookup;
}

export function createTestSmsParts(
  book: TestLedger,
  desk: StageDesk,
  find?: FindSms,
  logger = createSilentLogger(),
): TestSmsParts {
  const { ledger, receipts, clock, store } = book;
  const { redis, keyspace } = store;
  // As the ledger is sealed, which takes back what a note said.
  const sealing = createSealing(undefined);
  const records = createSmsRecords({ redis, keyspace, sealing });
  const tokens = createCallbackTokens({ sealing, keyspace });
  const reopen = createReopening({ redis, keyspace, clock, outcomes: true });
  const reports = createSmsReports({ records, ledger, receipts, reopen, clock, logger });
  const lookup = createSmsLookup({
    records,
    reports,
    tokens,
    findOf: (provider) => (provider === "twilio" ? find : undefined),
    desk,
    clock,
    logger,
    delaysMs: LOOKUPS_MS,
    timeoutMs: SMS_TIMEOUT_MS,
  });
  return { records, reports, tokens, lookup };
}
