/** Deadlines: how they are read, how long push services keep a message, what comes too late. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  actionRequired,
  deadlineOf,
  hasExpired,
  pushTtlSeconds,
} from "../../src/content/deadline.ts";
import { parseInstant } from "../../src/content/instant.ts";
import { PRIORITIES } from "../../src/contract/vocabulary.ts";
import { NOW, template } from "./fixtures.ts";

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;
const matching = template("student_matching_confirmation_required");
const reminder = template("iep_meeting_reminder");
const warning = template("iep_deadline_warning");
const consent = template("iep_parent_consent");

describe("reading a date-time", () => {
  it("gives back every instant that is written down", () => {
    const range = { min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(range), (date) => {
        expect(parseInstant(date.toISOString())).toBe(date.getTime());
        expect(parseInstant(date.toISOString().slice(0, -1))).toBe(date.getTime());
      }),
    );
  });

  it.each([
    ["2026-09-15T16:30:00+02:00", "2026-09-15T14:30:00.000Z"],
    ["2026-09-15T09:00-05:30", "2026-09-15T14:30:00.000Z"],
    ["2024-02-29t00:00:00z", "2024-02-29T00:00:00.000Z"],
  ])("takes %s for %s", (text, expected) => {
    expect(new Date(parseInstant(text) ?? 0).toISOString()).toBe(expected);
  });

  it.each([
    "2025-02-29T00:00:00Z",
    "2025-04-31T00:00:00",
    "2025-01-01T24:00:00Z",
    "2025-13-01T00:00Z",
  ])("refuses %s, which no calendar has", (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});

describe("the deadline", () => {
  it("is the template's own field", () => {
    const meeting_date = "2026-09-15T16:00:00+02:00";
    expect(deadlineOf(reminder, { meeting_date }, NOW)).toBe(Date.parse(meeting_date));
    expect(deadlineOf(warning, { meeting_date }, NOW)).toBeNull();
  });

  it("of the author question is a day after acceptance unless stated", () => {
    expect(deadlineOf(matching, {}, NOW)).toBe(NOW + 24 * HOUR_MS);
    const stated = { deadline_timestamp: "2026-08-13T12:00:00" };
    expect(deadlineOf(matching, stated, NOW)).toBe(Date.parse("2026-08-13T12:00:00Z"));
  });

  it("is absent where the template has none", () => {
    const data = { deadline_date: "2026-09-15T16:00:00Z" };
    expect(deadlineOf(template("announcement"), data, NOW)).toBeNull();
    expect(deadlineOf(consent, {}, NOW)).toBeNull();
  });
});

describe("how long a push service keeps it", () => {
  it.each([
    ["critical", DAY_SECONDS],
    ["immediate", 14_400],
    ["high", 14_400],
    ["standard", 3_600],
    ["low", 300],
  ] as const)("is set by priority %s where there is no deadline", (priority, seconds) => {
    expect(pushTtlSeconds(consent, priority, null, NOW)).toBe(seconds);
  });

  it("is until the meeting, a day at most", () => {
    expect(pushTtlSeconds(reminder, "high", NOW + 6 * HOUR_MS, NOW)).toBe(6 * 3_600);
    expect(pushTtlSeconds(reminder, "high", NOW + 90 * HOUR_MS, NOW)).toBe(DAY_SECONDS);
  });

  it("is the priority's again once the meeting is over", () => {
    expect(pushTtlSeconds(reminder, "high", NOW - HOUR_MS, NOW)).toBe(14_400);
    expect(pushTtlSeconds(warning, "critical", NOW - HOUR_MS, NOW)).toBe(DAY_SECONDS);
  });

  it("ignores the deadline of a yearly review, unless that was made critical", () => {
    const review = template("iep_review_due");
    expect(pushTtlSeconds(review, "standard", NOW + 6 * HOUR_MS, NOW)).toBe(3_600);
    expect(pushTtlSeconds(review, "critical", NOW + 6 * HOUR_MS, NOW)).toBe(6 * 3_600);
  });

  it("is always between a second and a day", () => {
    const deadlines = fc.option(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }));
    fc.assert(
      fc.property(fc.constantFrom(...PRIORITIES), deadlines, (priority, offset) => {
        const deadlineMs = offset === null ? null : NOW + offset;
        const seconds = pushTtlSeconds(reminder, priority, deadlineMs, NOW);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThanOrEqual(DAY_SECONDS);
      }),
    );
  });
});

describe("too late", () => {
  it("is the author question from its deadline on", () => {
    expect(hasExpired(matching, NOW + 1, NOW)).toBe(false);
    expect(hasExpired(matching, NOW, NOW)).toBe(true);
  });

  it("is never a reminder about a date that has passed", () => {
    for (const each of [reminder, warning, consent]) {
      expect(hasExpired(each, NOW - 400 * 24 * HOUR_MS, NOW)).toBe(false);
    }
  });
});

describe("whether something must be done", () => {
  it.each([
    [reminder, {}, false],
    [reminder, { action_required: "Bring the report" }, true],
    [warning, {}, true],
    [warning, { action_required: "  " }, false],
    [template("class_created"), { action_required: true }, true],
  ])("follows the sender's words, else the template", (each, data, expected) => {
    expect(actionRequired(each, data)).toBe(expected);
  });
});
