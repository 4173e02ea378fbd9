/** Notes survive the way into Redis and back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANNELS, CHANNEL_STATES, REASONS } from "../../src/contract/vocabulary.ts";
import {
  formatChannelRecord,
  formatTimelineEntry,
  parseChannelRecord,
  parseTimeline,
} from "../../src/tracking/note.ts";
import {
  formatFacts,
  formatRecord,
  parseFacts,
  parseNote,
} from "../../src/tracking/note-record.ts";

const time = fc.integer({ min: 1, max: 4_102_444_800_000 });

describe("what is written to a note", () => {
  it("is read back as it was: channel records", () => {
    const record = fc.record({
      state: fc.constantFrom(...CHANNEL_STATES),
      reason: fc.option(fc.constantFrom(...REASONS)),
      at: time,
      confirmedAt: fc.option(time),
    });
    fc.assert(
      fc.property(record, (value) => {
        expect(parseChannelRecord(formatChannelRecord(value))).toEqual(value);
      }),
    );
  });

  it("is read back as it was: the timeline", () => {
    const entry = fc.record({
      at: time,
      channel: fc.option(fc.constantFrom(...CHANNELS)),
      from: fc.constantFrom(...CHANNEL_STATES),
      to: fc.constantFrom(...CHANNEL_STATES),
      reason: fc.option(fc.constantFrom(...REASONS)),
    });
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        expect(parseTimeline(entries.map(formatTimelineEntry).join(""))).toEqual(entries);
      }),
    );
  });

  it("is refused if it is not what the ledger writes", () => {
    const open = (text: string): string => text;
    const facts = formatFacts({
      user: "teacher-1",
      lane: "normal",
      day: "2026-11-21",
      caller: "service",
      template: "announcement",
      type: "announcement",
      accepted_at: 1,
      priority: "standard",
      family: "general",
      strategy: "fallback",
    });
    const words = "=0 0 queued websocket 0 0 1 0 - - pending,-,1,- pending,-,1,- skipped,-,1,- -\n";
    const state = `${words}1 - - queued -\n\n\n`;
    expect(parseNote("id", `${formatRecord(facts, "", state)}what was longer`, open)).toMatchObject(
      {
        userId: "teacher-1",
        status: "queued",
        request: null,
        timeline: "1 - - queued -\n",
        stateAt: facts.length + 2,
      },
    );
    const broken = [
      "",
      formatRecord("teacher-1 normal", "", state),
      formatRecord(facts, "", "=0 0 queued websocket\n\n\n"),
      formatRecord(facts, "", state.replace("=", "")),
      formatRecord(facts, "", state.replace("queued", "lost")),
      formatRecord(facts.replace("standard", "lost"), "", state),
    ];
    for (const record of broken) expect(() => parseNote("id", record, open)).toThrow();
    expect(() => parseFacts("")).toThrow(/malformed/);
    expect(() => parseChannelRecord("lost,-,1,-")).toThrow(/malformed/);
  });
});
