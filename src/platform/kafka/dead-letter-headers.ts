/** The headers that a dead letter has of ours, as a program that reads the topic finds them. */
import { z } from "zod";
import { DEAD_LETTER_HEADER_PREFIX, DEAD_LETTER_REASONS } from "./dead-letters.ts";

const instant = z.iso.datetime();

/** Their names continue `dlq-`. All others are the original record's, unchanged. */
export const deadLetterHeadersSchema = z.object({
  "dlq-reason": z.enum(DEAD_LETTER_REASONS).describe("why the record cannot be used"),
  "dlq-detail": z.string().describe("what is wrong and where, without values of the payload"),
  "dlq-topic": z.string().min(1).describe("full name of the topic that it was read from"),
  "dlq-partition": z.string().regex(/^\d+$/).describe("its partition there"),
  "dlq-offset": z.string().regex(/^\d+$/).describe("its offset there"),
  "dlq-timestamp": instant.describe("its timestamp there"),
  "dlq-at": instant.describe("when it was put aside"),
  "dlq-group": z.string().describe("consumer group that read it"),
  "dlq-omitted": z
    .string()
    .optional()
    .describe("what of the record was left out, because it was too large for the topic"),
});
export type DeadLetterHeaders = z.infer<typeof deadLetterHeadersSchema>;

/** On a record that was sent back to its topic: `topic/partition/offset` of the dead letter. */
export const REDRIVEN_FROM_HEADER = "redriven-from";

/** An operator wants it told, so its age says nothing. */
export function isRedriven(headers: Readonly<Record<string, Buffer>>): boolean {
  return REDRIVEN_FROM_HEADER in headers;
}

/** @returns undefined if the record was not put aside by us. */
export function readDeadLetterHeaders(
  headers: Readonly<Record<string, Buffer>>,
): DeadLetterHeaders | undefined {
  const texts = Object.entries(headers)
    .filter(([name]) => name.startsWith(DEAD_LETTER_HEADER_PREFIX))
    .map(([name, value]) => [name, value.toString("utf8")]);
  return deadLetterHeadersSchema.safeParse(Object.fromEntries(texts)).data;
}

/** The record's own headers: what a record that is sent back has again. */
export function withoutDeadLetterHeaders(
  headers: Readonly<Record<string, Buffer>>,
): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith(DEAD_LETTER_HEADER_PREFIX)),
  );
}
