/** Notes survive the way into Redis and back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANNELS, CHANNEL_STATES, REASONS } from "../../src/contract/vocabulary.ts";
import {
  formatChannelRecord,
  formatTimelineEntry,
  parseChannelRecord,
  parseNote,
  parseTimeline,
} from "../../src/tracking/note.ts";

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
    expect(parseNote("id", {}, open)).toBeUndefined();
    expect(() => parseNote("id", { status: "queued" }, open)).toThrow();
    expect(() => parseChannelRecord("lost - 1 -")).toThrow(/malformed/);
  });
});
