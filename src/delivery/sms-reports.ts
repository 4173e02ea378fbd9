/**
 * What is said of an SMS after it was handed over, and what its note becomes by it. Saying so twice,
 * late or out of order changes nothing: a message only goes forward.
 */
import { hasFailed, isFinal } from "../channels/sms/carrier-status.ts";
import type { SmsReference } from "../channels/sms/callback-token.ts";
import { KEEP_MS, type SmsRecord } from "../channels/sms/sms-records.ts";
import type { CarrierReport } from "../channels/channel.ts";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import type { Receipt } from "../tracking/receipts.ts";
import { reopened, smsCounts, smsLine, type SmsFailure } from "../tracking/reopened.ts";
import type { Reopen } from "../tracking/reopening.ts";
import { isSettled } from "../tracking/status-machine.ts";
import { closeChannel } from "./note-steps.ts";

/** Somebody else may change the note between reading and writing, but not for ever. */
const TRIES = 5;

export interface SmsReportsOptions {
  readonly records: {
    report(reference: SmsReference, report: CarrierReport): Promise<CarrierReport | undefined>;
    claim(messageId: string, noteId: string): Promise<boolean>;
    request(noteId: string): Promise<string | undefined>;
    read(noteId: string): Promise<Pick<SmsRecord, "sentAt" | "report"> | undefined>;
  };
  readonly ledger: {
    fetch(ids: readonly string[]): Promise<Map<string, Note>>;
    advance(changes: readonly NoteChange[]): Promise<boolean[]>;
  };
  readonly reopen: Reopen;
  readonly receipts: {
    record(receipts: readonly Receipt[]): void;
    flush(): Promise<void>;
  };
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "info">;
}

export interface SmsReports {
  /** Resolves once it is written down. Rejects while Redis is away: to be said again. */
  receive(reference: SmsReference, report: CarrierReport): Promise<void>;
  /** Its last word was said, so that whatever is said is said again; or it is too long ago to know. */
  isOver(reference: SmsReference): Promise<boolean>;
}

export function createSmsReports(options: SmsReportsOptions): SmsReports {
  const { records, ledger, receipts, clock, logger } = options;

  /** The change to a note whose SMS counts as sent, or may have been; undefined where none does. */
  function failed(note: Note, failure: SmsFailure): NoteChange | undefined {
    const { sms } = note.channels;
    if (sms.state !== "sending" && sms.state !== "delivered" && sms.state !== "unknown") {
      return undefined;
    }
    const now = clock.now();
    // The due index brings it to its next stage, if there is one: this process may have no queues.
    const closing = { channel: "sms", to: "failed", reason: failure.reason } as const;
    const change = closeChannel(note, { ...closing, now, handOverAt: now });
    const counted = sms.state === "sending" ? {} : { "sms.failed": 0, ...smsCounts(sms) };
    const [, ...others] = change.timeline;
    return {
      ...change,
      counts: { ...change.counts, ...counted },
      timeline: [smsLine(sms, failure, now), ...others],
    };
  }

  /** True once there is nothing left to do. */
  async function tryFail(noteId: string, failure: SmsFailure): Promise<boolean> {
    const note = (await ledger.fetch([noteId])).get(noteId);
    if (note === undefined) return true;
    if (!isSettled(note.status)) {
      const change = failed(note, failure);
      return change === undefined || (await ledger.advance([change]))[0] === true;
    }
    const { state } = note.channels.sms;
    if (state !== "delivered" && state !== "unknown") return true;
    const request = note.request === null ? await records.request(noteId) : undefined;
    const canBeSent = request !== undefined || note.request !== null;
    const change = reopened(note, { failure, now: clock.now(), canBeSent });
    // Of one that had reached the person otherwise, nothing personal is kept longer than needed.
    return await options.reopen(change, change.status === "delivered" ? undefined : request);
  }

  async function fail(noteId: string, { status, fault = status }: CarrierReport): Promise<void> {
    const reason = fault.endsWith("opted_out") ? "opted_out" : "undelivered";
    // A gateway need not say why.
    const detail = fault === "undelivered" ? fault : `undelivered:${fault}`;
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await tryFail(noteId, { reason, detail })) return;
    }
    throw new Error(`${noteId} is changed by others time and again`);
  }

  return {
    async isOver({ noteId, sentAt }) {
      const record = await records.read(noteId);
      if (record === undefined) return clock.now() - sentAt >= KEEP_MS;
      return record.sentAt === sentAt && record.report !== undefined
        ? isFinal(record.report.status)
        : false;
    },

    async receive(reference, report) {
      const { noteId } = reference;
      const { messageId } = report;
      const known = await records.report(reference, report);
      if (messageId !== undefined) await records.claim(messageId, noteId);
      logger.info(
        {
          event: "sms.reported",
          notification_id: noteId,
          status: report.status,
          fault: report.fault,
        },
        "sms.reported",
      );
      // Of one that was sent again since, only that it reached the person matters.
      const { status, fault } = known ?? report;
      if (!hasFailed(status)) {
        const kind = status === "delivered" ? "confirmed" : "taken";
        receipts.record([{ noteId, channel: "sms", kind }]);
        await receipts.flush();
      } else if (known !== undefined) {
        await fail(noteId, { status, fault });
      }
    },
  };
}
