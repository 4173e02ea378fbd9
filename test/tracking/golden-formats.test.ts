/**
 * What version 1.2 wrote is read by every version that says it reads its form. The samples were made by
 * that version and are never made anew: a change of this file's expectations is a new form.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LEDGER_FORMATS } from "../../src/contract/versions.ts";
import {
  parseAnswers,
  parseHistoryEntry,
  parseNodeMessage,
} from "../../src/contract/node-message.ts";
import { outcomeEventSchema } from "../../src/contract/outcome-event.ts";
import { createSealing } from "../../src/platform/sealing.ts";
import { parseEnvelope, parseItem } from "../../src/queue/envelope.ts";
import { readStreamEntry } from "../../src/tracking/audit.ts";
import { parseTimeline } from "../../src/tracking/note.ts";
import { parseNote } from "../../src/tracking/note-record.ts";
import { outcomeRecordsOf } from "../../src/tracking/outcome-entries.ts";
import { recordOf } from "../../src/tracking/stream-fields.ts";

const entry = z.tuple([z.string(), z.array(z.string())]);
const samplesSchema = z.object({
  queued: z.string(),
  sent: z.string(),
  delivered: z.string(),
  pushSending: z.string(),
  failed: z.string(),
  history: z.tuple([z.string(), z.string()]),
  told: z.array(entry),
  audit: z.array(entry),
  nodeMessage: z.tuple([z.string()]),
  answers: z.string(),
  envelope: z.array(z.unknown()),
  item: z.string(),
  sealed: z.object({ plain: z.string(), text: z.string() }),
  key: z.base64(),
});

const file = new URL("./golden/format-3.json", import.meta.url);
const samples = samplesSchema.parse(JSON.parse(readFileSync(file, "utf8")));
const sealing = createSealing(Buffer.from(samples.key, "base64"));
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((at) => `00a0c0de-0000-8000-8000-00000000000${at}`);
const ACCEPTED = Date.UTC(2026, 10, 21, 8);

const read = (id: string | undefined, text: string) =>
  parseNote(id ?? "", text, (sealed) => sealing.open(sealed));

describe("form 3 is read:", () => {
  it("this version says so", () => {
    expect(LEDGER_FORMATS.oldest).toBeLessThanOrEqual(3);
    expect(LEDGER_FORMATS.newest).toBeGreaterThanOrEqual(3);
  });

  it("a note that waits", () => {
    const note = read(FIRST, samples.queued);
    expect(note).toMatchObject({
      userId: "teacher-1",
      status: "queued",
      stage: "websocket",
      lane: "normal",
      version: 0,
      acceptedAt: ACCEPTED,
      priority: "high",
      templateId: "iep_meeting_reminder",
      correlationId: "c-1",
      eventId: "e-1",
      expiresAt: ACCEPTED + 86_400_000,
      replayId: null,
      request: { data: { student_name: "Åsa" }, phone_number: "+46701234567" },
    });
  });

  it("a note on its way to a gateway, and one that a push service has", () => {
    expect(read(SECOND, samples.sent)).toMatchObject({
      replayId: "1",
      epoch: "c3f5f9c9",
      leasedUntil: ACCEPTED + 1_505,
      channels: { websocket: { state: "sent" } },
    });
    expect(read(THIRD, samples.pushSending)).toMatchObject({
      stage: "push",
      fence: 2,
      channels: { websocket: { state: "skipped", reason: "offline" }, push: { state: "sending" } },
    });
  });

  it("settled notes", () => {
    const delivered = read(SECOND, samples.delivered);
    expect(delivered).toMatchObject({ status: "delivered", sockets: 2, stage: null });
    expect(delivered?.channels.websocket.confirmedAt).toBe(ACCEPTED + 10);
    expect(parseTimeline(delivered?.timeline ?? "")).toHaveLength(7);
    const failed = read(THIRD, samples.failed);
    expect(failed).toMatchObject({ status: "failed", pushOutcomes: { sub1: "gone" } });
    expect(failed?.request?.data).toEqual({ student_name: "Åsa" });
  });

  it("what Kafka is yet to be told", () => {
    const records = samples.told.flatMap(([id, fields]) => outcomeRecordsOf(0, id, fields) ?? []);
    const events = records.map(({ value }) => outcomeEventSchema.parse(JSON.parse(String(value))));
    expect(events.map(({ data }) => [data.notification_id, data.outcome])).toEqual([
      [SECOND, "settled"],
      [SECOND, "confirmed"],
      [THIRD, "settled"],
    ]);
  });

  it("the audit trail", () => {
    const lines = samples.audit.flatMap(([, fields]) => readStreamEntry(recordOf(fields)));
    expect(lines.map((line) => [line["action"], line["notification_id"]])).toEqual([
      ["accepted", FIRST],
      ["accepted", SECOND],
      ["accepted", THIRD],
      ["settled", SECOND],
      ["settled", THIRD],
    ]);
  });

  it("messages, on their way and in a history", () => {
    const [place, payload] = samples.history;
    const message = parseNodeMessage(samples.nodeMessage[0]);
    expect(message).toMatchObject({
      userId: "teacher-1",
      fence: 1,
      workerId: "w0",
      wantsAck: true,
    });
    expect(parseHistoryEntry(place, payload)).toEqual({
      replayId: 1,
      epoch: "c3f5f9c9",
      noteId: SECOND,
      payload: message?.payload,
    });
    expect(JSON.parse(sealing.open(payload))).toMatchObject({ title: "Möte" });
  });

  it("answers, envelopes and items of lists", () => {
    expect(parseAnswers(samples.answers)).toEqual([
      { noteId: SECOND, fence: 1, result: "acked", sockets: 2 },
      { noteId: THIRD, fence: 3, result: "no_socket", sockets: 0 },
    ]);
    expect(samples.envelope.flatMap(parseEnvelope)).toEqual([
      { id: SECOND, attempt: 0 },
      { id: THIRD, attempt: 3 },
    ]);
    expect(parseItem(samples.item)).toEqual({ id: SECOND, attempt: 2 });
  });

  it("what was sealed, also where further keys were added since", () => {
    const { plain, text } = samples.sealed;
    const key = Buffer.from(samples.key, "base64");
    expect(sealing.open(text)).toBe(plain);
    expect(createSealing(Buffer.alloc(32, 1), key, Buffer.alloc(32, 2)).open(text)).toBe(plain);
  });
});
