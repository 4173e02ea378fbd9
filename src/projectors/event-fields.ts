/** Kinds of field that domain events have. Null means absent; an id is never a number. */
import { z } from "zod";
import { epochMsOf, isWrittenWithinYears, OUT_OF_YEARS } from "../contract/event-time.ts";
import { userIdSchema } from "../contract/notification-request.ts";

/** What the templates take. */
const MAX_SHOWN_ITEMS = 1_000;
/**
 * Half of what ingest takes as one event: a list is all that can be long in one, and what is beside
 * it stays below 64 KiB even if JSON needs six bytes for each of its characters.
 */
const MAX_SHOWN_BYTES = 128 * 1_024;
const MAX_NAME_LENGTH = 200;
const MAX_FILENAME_LENGTH = 512;
const MAX_SENTENCE_LENGTH = 4_000;

/** With no more digits after its seconds than every reader takes. */
const PLAIN_UTC_PATTERN = /T\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** RFC 3339 with `Z`; what is that already stays as it is. */
function inUtc(time: string): string {
  return PLAIN_UTC_PATTERN.test(time) ? time : new Date(epochMsOf(time)).toISOString();
}

export const reference = z.string().min(1).max(128);
/** With offset, `Z` or naive; comes out with `Z`. */
export const eventTime = z.iso
  .datetime({ offset: true, local: true, error: "must be an ISO 8601 date-time", abort: true })
  .refine(isWrittenWithinYears, OUT_OF_YEARS)
  .transform(inUtc);
export const count = z.int().min(0);

/** Text for people is cut to what a page can show, not refused: the event as such is sound. */
function displayText(maxLength: number) {
  // Never half of a character that takes two units.
  return z.string().transform((text) => text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, ""));
}

/** Blank says as little as null. */
function optionalText(maxLength: number) {
  return displayText(maxLength)
    .transform((text) => (text.trim() === "" ? null : text))
    .nullish();
}

export const sentence = displayText(MAX_SENTENCE_LENGTH);
export const filename = displayText(MAX_FILENAME_LENGTH).refine(
  (text) => text.trim() !== "",
  "must not be blank",
);
export const optionalSentence = optionalText(MAX_SENTENCE_LENGTH);
export const optionalFilename = optionalText(MAX_FILENAME_LENGTH);
export const optionalName = optionalText(MAX_NAME_LENGTH);

/**
 * The first items in full, as many as fit into an event: whoever has more of them looks at the batch
 * itself.
 */
export function shownItems<T extends object>(items: readonly T[]): readonly T[] {
  let bytes = 0;
  const first = items.slice(0, MAX_SHOWN_ITEMS);
  const end = first.findIndex((item) => {
    // One more for the comma behind it.
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > MAX_SHOWN_BYTES;
  });
  return end === -1 ? first : first.slice(0, end);
}

/** What any domain event may name: for whom, about what, when. */
export const subjectSchema = z.object({
  user_id: userIdSchema.nullish().describe("the teacher; default: whoever owns the batch or class"),
  batch_id: reference.nullish(),
  class_id: reference.nullish(),
  student_id: reference.nullish(),
  batch_name: optionalName.describe("what teachers call the batch"),
  timestamp: eventTime
    .nullish()
    .describe("when it happened; default: event_timestamp of the envelope, else of the record"),
});
export type EventSubject = z.infer<typeof subjectSchema>;
