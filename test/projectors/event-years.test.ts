/** Times that an offset moves out of the years that everyone can write are refused where they stand. */
import { expect, it, vi } from "vitest";
import { createEventTable } from "../../src/projectors/event-table.ts";
import { readRecord } from "../../src/projectors/read-record.ts";
import { envelope, eventOf, projected, READY, record, testConfig } from "./records.ts";
import { sampleOf } from "./samples.ts";

const MATCHES = sampleOf("student_matches_suggested");
const TOO_LATE = "9999-12-31T23:59:59-23:59";
const TOO_EARLY = "0000-01-01T00:00:00+00:01";

it.each([
  ["data.timestamp", (time: string) => envelope(READY, { timestamp: time })],
  [
    "data.confirmation_deadline",
    (time: string) => envelope(MATCHES, { confirmation_deadline: time }),
  ],
  ["event_timestamp", (time: string) => envelope(READY, {}, { event_timestamp: time })],
])("is said of %s, and of nothing else", async (field, eventWith) => {
  for (const time of [TOO_LATE, TOO_EARLY]) {
    expect(await projected(eventWith(time))).toMatchObject({
      reason: "invalid_event",
      detail: `${field}: must be within the years 0000 to 9999 in UTC`,
    });
  }
});

it.each(["9999-12-31T23:59:59", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59+01:00"])(
  "is not said of %s, wherever the server stands",
  async (timestamp) => {
    vi.stubEnv("TZ", "America/New_York");
    const { data } = eventOf(await projected(envelope(READY, { timestamp })));
    vi.unstubAllEnvs();
    expect(data.timestamp).toMatch(/^9999-12-31T2[23]:59:59(\.\d+)?Z$/);
  },
);

it.each([Number.MAX_SAFE_INTEGER, Date.UTC(10_000, 0), Number.NaN])(
  "is said of the record's own where the event states none: %d",
  (timestamp) => {
    const value = envelope(READY, { timestamp: null }, { event_timestamp: null });
    const table = createEventTable(testConfig());
    expect(readRecord({ ...record(value), timestamp }, table)).toMatchObject({
      reason: "invalid_event",
      detail: "the record's timestamp: must be within the years 0000 to 9999 in UTC",
    });
    const stated = record(envelope(READY));
    expect(readRecord({ ...stated, timestamp }, table).kind).toBe("occurrence");
  },
);
