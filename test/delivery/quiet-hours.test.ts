/** Quiet hours end when the person's own wall clock says so, also across a change of the clocks. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quietUntil } from "../../src/delivery/quiet-hours.ts";

const at = (text: string): number => Date.parse(text);
const NIGHT = { from: "21:00", to: "07:00" };

describe("quiet hours", () => {
  it.each([
    ["in the evening", "2026-11-20T22:30:00Z", "UTC", "2026-11-21T07:00:00Z"],
    ["after midnight", "2026-11-21T03:15:30Z", "UTC", "2026-11-21T07:00:00Z"],
    ["at their first minute", "2026-11-20T21:00:00Z", "UTC", "2026-11-21T07:00:00Z"],
    ["in another zone", "2026-11-20T22:00:00Z", "America/New_York", undefined],
    ["in New York's night", "2026-11-21T04:00:00Z", "America/New_York", "2026-11-21T12:00:00Z"],
    ["at noon", "2026-11-20T12:00:00Z", "UTC", undefined],
    ["at the minute they end", "2026-11-21T07:00:00Z", "UTC", undefined],
    ["in a half-hour zone", "2026-11-20T18:00:00Z", "Asia/Kolkata", "2026-11-21T01:30:00Z"],
    ["when clocks go forward", "2026-03-28T22:00:00Z", "Europe/Stockholm", "2026-03-29T05:00:00Z"],
    ["when clocks go back", "2026-10-24T22:00:00Z", "Europe/Stockholm", "2026-10-25T06:00:00Z"],
  ])("%s", (_name, now, zone, until) => {
    expect(quietUntil(NIGHT, zone, at(now))).toBe(until === undefined ? undefined : at(until));
  });

  it("do not apply where the person set none, or none in length", () => {
    expect(quietUntil(undefined, "UTC", 0)).toBeUndefined();
    expect(
      quietUntil({ from: "08:00", to: "08:00" }, "UTC", at("2026-11-21T08:00:00Z")),
    ).toBeUndefined();
  });

  it("always end within a day and an hour, and then no longer hold", () => {
    const wall = fc
      .tuple(fc.nat({ max: 23 }), fc.nat({ max: 59 }))
      .map(([hour, minute]) =>
        [hour, minute].map((part) => String(part).padStart(2, "0")).join(":"),
      );
    const zone = fc.constantFrom("UTC", "Europe/Stockholm", "America/New_York", "Asia/Kolkata");
    const now = fc.integer({ min: at("2026-01-01T00:00:00Z"), max: at("2027-01-01T00:00:00Z") });
    fc.assert(
      fc.property(wall, wall, zone, now, (from, to, timeZone, time) => {
        const until = quietUntil({ from, to }, timeZone, time);
        if (until === undefined) return;
        expect(until).toBeGreaterThan(time);
        expect(until).toBeLessThanOrEqual(time + 25 * 3_600_000);
        // Where the clocks skip the very end of the hours, it may take a second look.
        let end: number | undefined = until;
        for (let looks = 0; looks < 3 && end !== undefined; looks += 1) {
          end = quietUntil({ from, to }, timeZone, end);
        }
        expect(end).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
