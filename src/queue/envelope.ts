/** How notes that wait for a stage are written down: many to a BullMQ job, or each in a list. */
import { z } from "zod";
import type { Channel } from "../contract/vocabulary.ts";

/** A wake-up for one note. It is dropped if the note is at another attempt by then. */
export interface EnvelopeItem {
  readonly id: string;
  readonly attempt: number;
}

/** Pairs instead of objects: half the bytes in Redis. */
const envelopeSchema = z.object({
  items: z.array(z.tuple([z.string(), z.number().int().min(0)])).min(1),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/**
 * Notes per envelope. A frame costs microseconds, so many share a job; a push costs a request, so
 * few wait for one another; an SMS is alone, so that nothing else hangs on its provider.
 */
export const ENVELOPE_SIZE: Readonly<Record<Channel, number>> = {
  websocket: 100,
  push: 10,
  sms: 1,
};

/** Splits items into envelopes, in order, each as full as it may be. */
export function toEnvelopes(stage: Channel, items: readonly EnvelopeItem[]): Envelope[] {
  const size = ENVELOPE_SIZE[stage];
  const envelopes: Envelope[] = [];
  for (let from = 0; from < items.length; from += size) {
    const part = items.slice(from, from + size);
    envelopes.push({ items: part.map((item) => [item.id, item.attempt]) });
  }
  return envelopes;
}

/** @throws ZodError if the job is not one that this product enqueued. */
export function parseEnvelope(data: unknown): EnvelopeItem[] {
  return envelopeSchema.parse(data).items.map(([id, attempt]) => ({ id, attempt }));
}

/** An item of an ordered list. A string: a JSON pair would be a sixth longer, and slower to read. */
export function writeItem(item: EnvelopeItem): string {
  return `${item.id} ${item.attempt}`;
}

const ITEM_PATTERN = /^(\S+) (\d{1,9})$/;

/** @throws Error if the text is not one that this product wrote. */
export function parseItem(text: string): EnvelopeItem {
  const [, id, attempt] = ITEM_PATTERN.exec(text) ?? [];
  if (id === undefined) throw new Error("an ordered list holds what is no item");
  return { id, attempt: Number(attempt) };
}
