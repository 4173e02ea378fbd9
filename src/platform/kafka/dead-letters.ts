/**
 * Records that can never be used, put aside with the reason: the original key, value and headers
 * unchanged, and what is known about them in headers of our own.
 */
import type { Clock } from "../clock.ts";
import type { KafkaProducer, KafkaRecord, OutgoingRecord } from "./records.ts";
import { unreadableReason } from "./unreadable-batches.ts";

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

/** A key beyond this is left out with the rest of a record that is too large. */
const MAX_KEY_BYTES = 1_024;

/**
 * `dlq-reason`, `dlq-detail`, `dlq-topic`, `dlq-partition`, `dlq-offset`, `dlq-timestamp`, `dlq-at`,
 * `dlq-group`. What a producer has put into headers of such names is left out.
 */
export function deadLetterRecord(
  { record, reason, detail }: DeadLetter,
  about: { readonly group: string; readonly atMs: number },
): OutgoingRecord {
  const unreadable = unreadableReason(record.value);
  const own = {
    reason,
    detail: (unreadable ?? detail).slice(0, MAX_DETAIL_LENGTH),
    topic: record.topic,
    partition: String(record.partition),
    offset: record.offset,
    timestamp: new Date(Math.min(Math.max(record.timestamp, 0), LATEST_MS)).toISOString(),
    at: new Date(about.atMs).toISOString(),
    group: about.group,
    ...(unreadable === undefined ? {} : { omitted: "key, value, headers" }),
  };
  const theirs = Object.entries(record.headers).filter(([name]) => !isOurs(name));
  return {
    key: record.key,
    value: unreadable === undefined ? record.value : null,
    headers: {
      ...Object.fromEntries(theirs),
      ...Object.fromEntries(
        Object.entries(own).map(([name, value]) => [`${DEAD_LETTER_HEADER_PREFIX}${name}`, value]),
      ),
    },
  };
}

function isOurs(name: string): boolean {
  return name.startsWith(DEAD_LETTER_HEADER_PREFIX);
}

/**
 * The same of a record that, with our headers, is larger than the topic takes: what would not fit is
 * left out, and `dlq-omitted` says so. The original is where `dlq-topic` and the others point.
 */
function trimmedRecord({ key, headers = {} }: OutgoingRecord): OutgoingRecord {
  const own = Object.entries(headers).filter(([name]) => isOurs(name));
  const fits = key === null || Buffer.byteLength(key) <= MAX_KEY_BYTES;
  return {
    key: fits ? key : null,
    value: null,
    headers: {
      ...Object.fromEntries(own),
      [`${DEAD_LETTER_HEADER_PREFIX}omitted`]: fits ? "value, headers" : "key, value, headers",
    },
  };
}

/** Half of what a broker takes unless it is told otherwise; headers and all else stay far below that. */
const SURELY_FITS_BYTES = 524_288;

function mayBeTooLarge({ value, headers = {} }: OutgoingRecord): boolean {
  const sizes = [value ?? "", ...Object.values(headers)].map((part) => Buffer.byteLength(part));
  return sizes.reduce((sum, size) => sum + size, 0) > SURELY_FITS_BYTES;
}

const TOO_LARGE: readonly string[] = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"];

/** The client wraps what the broker said. */
function isTooLarge(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const type: unknown = "type" in error ? error.type : undefined;
  return (typeof type === "string" && TOO_LARGE.includes(type)) || isTooLarge(error.cause);
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

  /** By itself: among others, one that is too large would have all of them refused. */
  async function writeAlone(record: OutgoingRecord): Promise<void> {
    try {
      await producer.send(topic, [record]);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      await producer.send(topic, [trimmedRecord(record)]);
    }
  }

  return {
    async write(letters) {
      if (letters.length === 0) return;
      const about = { group, atMs: clock.now() };
      const records = letters.map((letter) => deadLetterRecord(letter, about));
      await producer.send(
        topic,
        records.filter((record) => !mayBeTooLarge(record)),
      );
      for (const record of records.filter(mayBeTooLarge)) await writeAlone(record);
    },
  };
}
