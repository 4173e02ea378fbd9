/** `POST /receipts`: what a service worker says became of a push message on its screen. */
import { z } from "zod";
import { RECEIPT_EVENTS, SNOOZE_MINUTES, type ReceiptEvent } from "../contract/push-receipt.ts";
import { publicRoute, type Reply, type Route } from "../http/route.ts";
import type { Clock } from "../platform/clock.ts";
import { Problem } from "../platform/problems.ts";
import type { Note } from "./note.ts";
import type { Receipt } from "./receipts.ts";

/** Longer than the longest text that `sign` makes. */
const MAX_RECEIPT_LENGTH = 256;
const MAX_SNOOZE_MINUTES = 1_440;
/**
 * A push service keeps a message for a day at most; on a screen it may stand over a long weekend. Less
 * than a week: for so long it is remembered that a notification has been put off.
 */
const RECEIPT_LIFE_MS = 6 * 86_400_000;

/** When the notification comes again, and as which. */
export interface Snoozed {
  readonly noteId: string;
  /** Epoch ms. */
  readonly sendAt: number;
}

export interface ReceiptRoutesOptions {
  readonly fetch: (ids: readonly string[]) => Promise<Map<string, Note>>;
  readonly receipts: { record(receipts: readonly Receipt[]): void };
  /** The notification a receipt token speaks of. */
  readonly readReceipt: (token: string) => string | undefined;
  /** Accepts it anew, once however often it is asked. @throws Problem `not_snoozable`. */
  readonly snooze: (note: Note, minutes: number) => Promise<Snoozed>;
  readonly clock: Pick<Clock, "now">;
}

const receiptSchema = z.object({
  receipt: z
    .string()
    .max(MAX_RECEIPT_LENGTH)
    .describe("`receipt` of the push message, a signed token, valid for six days"),
  event: z
    .enum(RECEIPT_EVENTS)
    .describe(
      "what happened in the browser; each counts once, and said again it is answered as before",
    ),
  minutes: z
    .int()
    .min(1)
    .max(MAX_SNOOZE_MINUTES)
    .default(SNOOZE_MINUTES)
    .describe(`for snoozed: in how many minutes it comes again; default: ${SNOOZE_MINUTES}`),
});

const snoozedSchema = z.object({
  notification_id: z.string().describe("the reminder's own id"),
  send_at: z.iso.datetime().describe("when it comes"),
});

/** All of them say that it was on screen; what was read needs no socket any more. */
function statements(noteId: string, event: ReceiptEvent): Receipt[] {
  const onScreen: Receipt = { noteId, channel: "push", kind: "confirmed" };
  return event === "read" ? [onScreen, { noteId, channel: "websocket", kind: "read" }] : [onScreen];
}

export function receiptRoutes(options: ReceiptRoutesOptions): Route[] {
  /** @throws Problem for a receipt that is not ours, or too old. */
  async function noteOf(token: string): Promise<Note> {
    const noteId = options.readReceipt(token);
    if (noteId === undefined) throw new Problem("unauthenticated", "The receipt is not ours.");
    const note = (await options.fetch([noteId])).get(noteId);
    if (note === undefined || note.channels.push.at + RECEIPT_LIFE_MS <= options.clock.now()) {
      throw new Problem("receipt_expired", "Receipts are taken for six days after the push.");
    }
    return note;
  }

  return [
    publicRoute({
      method: "post",
      path: "/receipts",
      tag: "Push",
      summary: "A service worker says what became of a notification on its screen",
      rateLimit: "default",
      body: receiptSchema,
      example: { receipt: "the receipt field of a push message", event: "shown" },
      responses: {
        200: { description: "Put off (snoozed)", schema: snoozedSchema },
        204: { description: "Taken (shown, clicked, read)" },
      },
      problems: ["invalid_request", "unauthenticated", "not_snoozable", "receipt_expired"],
      async handle({ body }): Promise<Reply> {
        const note = await noteOf(body.receipt);
        options.receipts.record(statements(note.id, body.event));
        if (body.event !== "snoozed") return { status: 204 };
        const { noteId, sendAt } = await options.snooze(note, body.minutes);
        const answer = { notification_id: noteId, send_at: new Date(sendAt).toISOString() };
        return { status: 200, body: answer satisfies z.input<typeof snoozedSchema> };
      },
    }),
  ];
}
