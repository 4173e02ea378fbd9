/** Until when a receipt is taken, and what becomes of the note. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Reply } from "../../src/http/route.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import type { Note } from "../../src/tracking/note.ts";
import { receiptRoutes } from "../../src/tracking/receipt-routes.ts";
import { createReceiptTokens } from "../../src/tracking/receipt-token.ts";
import { openTestLedger, type TestLedger } from "./test-ledger.ts";

const DAY_MS = 86_400_000;

let book: TestLedger;

beforeAll(async () => {
  book = await openTestLedger();
});
afterAll(async () => {
  await book.store.close();
});

const tokens = () =>
  createReceiptTokens({ sealing: createSealing(undefined), keyspace: book.store.keyspace });

async function post(receipt: string, event: string): Promise<Reply> {
  const [route] = receiptRoutes({
    fetch: (ids) => book.ledger.fetchUnopened(ids),
    receipts: book.receipts,
    readReceipt: (token) => tokens().read(token),
    snooze: (note, minutes) =>
      Promise.resolve({ noteId: note.id, sendAt: book.clock.now() + minutes * 60_000 }),
    clock: book.clock,
  });
  const context = { requestId: "r", ip: "127.0.0.1", header: () => undefined };
  const body = route?.body?.parse({ receipt, event });
  const input = { params: undefined, query: undefined, body, caller: undefined, context };
  const reply = await route?.handle(input);
  await book.receipts.flush();
  return reply ?? { status: 0 };
}

async function pushed(): Promise<Note> {
  const channels = { websocket: book.shut(), push: book.open(), sms: book.shut() };
  const note = await book.create({ stage: "push", channels });
  const sending = { ...channels.push, state: "sending" } as const;
  return await book.apply({
    ...book.close({ ...note, channels: { ...note.channels, push: sending } }, "push", "delivered"),
  });
}

it("is taken for six days after the push, however long before that it was accepted", async () => {
  const note = await pushed();
  const receipt = tokens().sign(note.id);
  book.clock.advance(6 * DAY_MS - 1);
  expect(await post(receipt, "shown")).toEqual({ status: 204 });
  expect((await book.read(note.id)).channels.push.state).toBe("confirmed");
  book.clock.advance(1);
  for (const event of ["shown", "clicked", "read", "snoozed"]) {
    await expect(post(receipt, event)).rejects.toMatchObject({ code: "receipt_expired" });
  }
});

it("of a note that is no longer kept has expired", async () => {
  const receipt = tokens().sign(book.store.keyspace.newNoteId("teacher-1"));
  await expect(post(receipt, "shown")).rejects.toMatchObject({ code: "receipt_expired" });
});

it("comes again after an hour unless it says otherwise", async () => {
  const note = await pushed();
  const at = new Date(book.clock.now() + 3_600_000).toISOString();
  expect(await post(tokens().sign(note.id), "snoozed")).toEqual({
    status: 200,
    body: { notification_id: note.id, send_at: at },
  });
});
