/**
 * Finds out what became of an SMS whose answer never came. Nobody knows whether it was sent, so it is
 * never sent again: its note waits until the provider calls back, or lists it among what it took.
 */
import type { FindSms, SmsMessage } from "../channels/channel.ts";
import type { CallbackTokens, SmsReference } from "../channels/sms/callback-token.ts";
import type { SmsRecord, SmsRecords } from "../channels/sms/sms-records.ts";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { NoteChange } from "../tracking/ledger-changes.ts";
import type { Note } from "../tracking/note.ts";
import { inDoubt, nextLookupAt } from "./sms-doubt.ts";
import type { SmsReports } from "./sms-reports.ts";
import type { StageDesk } from "./stage-desk.ts";

/** A provider's clock may be so far from ours; its times are whole seconds. */
const CLOCK_SKEW_MS = 60_000;

export interface SmsLookupOptions {
  readonly records: Pick<SmsRecords, "begin" | "read" | "report" | "claim">;
  readonly reports: SmsReports;
  /** Signs what a provider says with each report; undefined where none can reach this service. */
  readonly tokens: Pick<CallbackTokens, "sign"> | undefined;
  /** How a provider is asked what it took; undefined for one that cannot be asked. */
  readonly findOf: (provider: string) => FindSms | undefined;
  readonly desk: Pick<StageDesk, "closeChannel">;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "info" | "warn">;
  /** How long after a request was sent it is looked for, ms, shortest first. */
  readonly delaysMs: readonly number[];
  /** How long a request may take. */
  readonly timeoutMs: number;
}

/** An SMS that is about to be sent. */
export interface SmsIntent {
  readonly provider: string;
  readonly phoneNumber: string;
  readonly message: SmsMessage;
}

export interface SmsLookup {
  /** Puts down that it is about to be sent; returns the message as it is to be handed over. */
  begin(note: Note, intent: SmsIntent): Promise<SmsMessage>;
  /** Puts down that the provider took it, before the note says so: this process may die in between. */
  taken(note: Note, messageId: string | undefined): Promise<void>;
  /** The change to a note whose answer did not come. */
  doubt(note: Note): NoteChange;
  /**
   * Looks once. Returns the change to the note that is left to make, if there is any.
   * @param phoneNumber to which it would be sent now
   */
  look(note: Note, phoneNumber: string | undefined): Promise<NoteChange | undefined>;
}

/** When the SMS of a note was taken in hand: since then it is `sending`. */
function referenceTo({ id, channels }: Note): SmsReference {
  return { noteId: id, sentAt: channels.sms.at };
}

type Search = "found" | "absent" | "not asked";

export function createSmsLookup(options: SmsLookupOptions): SmsLookup {
  const { records, reports, tokens, clock, logger, delaysMs } = options;

  async function search(note: Note, record: SmsRecord, phoneNumber: string): Promise<Search> {
    const { provider } = record;
    const find = provider === undefined ? undefined : options.findOf(provider);
    if (find === undefined || !record.isTo(phoneNumber)) return "absent";
    const { sentAt } = record;
    try {
      const until = sentAt + options.timeoutMs + CLOCK_SKEW_MS;
      const listed = await find({ phoneNumber, from: sentAt - CLOCK_SKEW_MS, until });
      const alike = listed
        .filter(({ text }) => record.says(text))
        .toSorted((a, b) => Math.abs(a.takenAt - sentAt) - Math.abs(b.takenAt - sentAt));
      for (const { messageId, report } of alike) {
        // Another note may have said the same to the same phone.
        if (!(await records.claim(messageId, note.id))) continue;
        await reports.receive(referenceTo(note), report);
        return "found";
      }
      return "absent";
    } catch (error) {
      logger.warn({ err: error, notification_id: note.id }, "an SMS could not be looked for");
      return "not asked";
    }
  }

  async function searchFor(note: Note, phoneNumber: string | undefined): Promise<Search> {
    const reference = referenceTo(note);
    const record = await records.read(note.id);
    if (record === undefined || record.sentAt !== reference.sentAt) return "absent";
    // It was heard of, by a process that did not live to tell the note.
    if (record.report !== undefined) {
      await reports.receive(reference, record.report);
      return "found";
    }
    return phoneNumber === undefined ? "absent" : await search(note, record, phoneNumber);
  }

  function doubtUntil(note: Note, wasAsked: boolean): NoteChange | undefined {
    const now = clock.now();
    const { sentAt } = referenceTo(note);
    const at = nextLookupAt({ sentAt, now, delaysMs, wasAsked });
    return at === undefined ? undefined : inDoubt(note, at, now);
  }

  const giveUp = (note: Note): NoteChange =>
    options.desk.closeChannel(note, "sms", "unknown", "unknown");

  return {
    async begin(note, { provider, phoneNumber, message }) {
      const reference = referenceTo(note);
      const request = tokens === undefined ? undefined : (note.request ?? undefined);
      const { text } = message;
      await records.begin({ ...reference, provider, phoneNumber, text, request });
      return tokens === undefined ? message : { ...message, callbackToken: tokens.sign(reference) };
    },

    async taken(note, messageId) {
      await records.report(referenceTo(note), { status: "queued", messageId });
      if (messageId !== undefined) await records.claim(messageId, note.id);
    },

    doubt: (note) => doubtUntil(note, true) ?? giveUp(note),

    async look(note, phoneNumber) {
      const search = await searchFor(note, phoneNumber);
      logger.info(
        { event: "sms.looked_for", notification_id: note.id, found: search },
        "sms.looked_for",
      );
      if (search === "found") return undefined;
      return doubtUntil(note, search === "absent") ?? giveUp(note);
    },
  };
}
