/**
 * Records that can never be used, put aside with the reason: the original key, value and headers
 * unchanged, and what is known about them in headers of our own.
 */
import type { Clock } from "../clock.ts";
import type { KafkaProducer, KafkaRecord, OutgoingRecord } from "./records.ts";

export const DEAD_LETTER_REASONS = [
  "invalid_json",
  "invalid_event",
  "unknown_event_type",
  "unknown_notification_type",
  "invalid_request",
  "idempotency_conflict",
  "ownership_mismatch",
  "owner_unknown",
  "poison",
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

export interface DeadLetter {
  readonly record: KafkaRecord;
  readonly reason: DeadLetterReason;
  /** For the operator: what is wrong and where, without values of the payload. */
  readonly detail: string;
}

/** In front of the names of our headers; a record that comes back from there loses them. */
export const DEAD_LETTER_HEADER_PREFIX = "dlq-";
/** A header beyond this helps nobody. */
const MAX_DETAIL_LENGTH = 1_000;
/** Producers stamp what they like: a time beyond a calendar's must not keep a record here for ever. */
const LATEST_MS = Date.UTC(9999, 11, 31);

/** `dlq-reason`, `dlq-detail`, `dlq-topic`, `dlq-partition`, `dlq-offset`, `dlq-timestamp`, `dlq-at`, `dlq-group`. */
export function deadLetterRecord(
  { record, reason, detail }: DeadLetter,
  about: { readonly group: string; readonly atMs: number },
): OutgoingRecord {
  const own = {
    reason,
    detail: detail.slice(0, MAX_DETAIL_LENGTH),
    topic: record.topic,
    partition: String(record.partition),
    offset: record.offset,
    timestamp: new Date(Math.min(Math.max(record.timestamp, 0), LATEST_MS)).toISOString(),
    at: new Date(about.atMs).toISOString(),
    group: about.group,
  };
  return {
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      ...Object.fromEntries(
        Object.entries(own).map(([name, value]) => [`${DEAD_LETTER_HEADER_PREFIX}${name}`, value]),
      ),
    },
  };
}

export interface DeadLetters {
  /** Resolves once they are in the topic; rejects if that is not certain. */
  write(letters: readonly DeadLetter[]): Promise<void>;
}

export function createDeadLetters(deps: {
  readonly producer: KafkaProducer;
  readonly topic: string;
  readonly group: string;
  readonly clock: Pick<Clock, "now">;
}): DeadLetters {
  const { producer, topic, group, clock } = deps;
  return {
    async write(letters) {
      if (letters.length === 0) return;
      const about = { group, atMs: clock.now() };
      await producer.send(
        topic,
        letters.map((letter) => deadLetterRecord(letter, about)),
      );
    },
  };
}
