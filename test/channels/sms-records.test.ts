/** What is kept of an SMS that was sent: nothing that can be read, and nothing for ever. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createSmsRecords, type SmsRecords } from "../../src/channels/sms/sms-records.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

const DAY_MS = 86_400_000;
const NUMBER = "+46701234567";
const TEXT = "The meeting about Sarah is at nine.";
const sealing = createSealing(Buffer.alloc(32, 5));

let store: TestRedis;
let records: SmsRecords;
let noteId: string;

beforeAll(async () => {
  store = await openTestRedis();
});
afterAll(() => store.close());
beforeEach(() => {
  records = createSmsRecords({ ...store, sealing });
  noteId = store.keyspace.newNoteId("teacher-1");
});

async function begin(sentAt = 1): Promise<void> {
  const request = { phone_number: NUMBER, data: { student_name: "Sarah" } };
  await records.begin({
    noteId,
    sentAt,
    provider: "twilio",
    phoneNumber: NUMBER,
    text: TEXT,
    request,
  });
}

const keysOf = (name: string): Promise<string[]> => store.redis.keys(`${store.prefix}*${name}*`);

it("is neither number nor text nor what was asked for", async () => {
  await begin();
  await records.report({ noteId, sentAt: 1 }, { status: "sent", messageId: "SM1" });
  const keys = await keysOf(noteId);
  expect(keys).toHaveLength(2);
  const kept = await Promise.all(
    keys.map((key) =>
      key.includes("sms-request") ? store.redis.get(key) : store.redis.hgetall(key),
    ),
  );
  for (const personal of [NUMBER, NUMBER.slice(3), TEXT, "Sarah", "student_name"]) {
    expect(JSON.stringify([keys, kept])).not.toContain(personal);
  }
});

it("is let go of by Redis after a month; what was asked for, after three days", async () => {
  await begin();
  await records.claim("SM-expiring", noteId);
  const [request] = await keysOf(`sms-request:${noteId}`);
  const [record] = await keysOf(`sms:${noteId}`);
  const [claim] = await keysOf("SM-expiring");
  for (const [key = "", days] of [
    [request, 3],
    [record, 30],
    [claim, 30],
  ] as const) {
    const left = await store.redis.pttl(key);
    expect(left).toBeGreaterThan((days - 1) * DAY_MS);
    expect(left).toBeLessThanOrEqual(days * DAY_MS);
  }
});

it("is let go of in time, too, where it is heard of an SMS that Redis has forgotten", async () => {
  expect(await records.report({ noteId, sentAt: 1 }, { status: "sent" })).toEqual({
    status: "sent",
  });
  const [record = ""] = await keysOf(`sms:${noteId}`);
  expect(await store.redis.pttl(record)).toBeGreaterThan(29 * DAY_MS);
});

it("is no more what was asked for once it has arrived", async () => {
  await begin();
  await records.report({ noteId, sentAt: 1 }, { status: "sent" });
  expect(await records.request(noteId)).toBeDefined();
  await records.report({ noteId, sentAt: 1 }, { status: "delivered" });
  expect(await records.request(noteId)).toBeUndefined();
});

it("knows whom and what it was for, by an older key too, and nobody else", async () => {
  await begin();
  const newer = createSealing(Buffer.alloc(32, 6), Buffer.alloc(32, 5));
  for (const reader of [records, createSmsRecords({ ...store, sealing: newer })]) {
    const record = await reader.read(noteId);
    expect([record?.isTo(NUMBER), record?.says(TEXT)]).toEqual([true, true]);
    expect([record?.isTo("+46701234568"), record?.says("Another")]).toEqual([false, false]);
  }
});

it("begins anew when it is sent again, and hears nothing of the one before", async () => {
  await begin(1);
  await records.report({ noteId, sentAt: 1 }, { status: "failed", fault: "30003" });
  await begin(2);
  expect(await records.read(noteId)).toMatchObject({ sentAt: 2, report: undefined });
  const late = await records.report({ noteId, sentAt: 1 }, { status: "delivered" });
  expect(late).toBeUndefined();
  expect(await records.report({ noteId, sentAt: 2 }, { status: "queued" })).toEqual({
    status: "queued",
  });
});

it("belongs to one note: a message that one has found is no other's", async () => {
  const other = store.keyspace.newNoteId("teacher-1");
  expect(await records.claim("SM-one", noteId)).toBe(true);
  expect(await records.claim("SM-one", noteId)).toBe(true);
  expect(await records.claim("SM-one", other)).toBe(false);
});
