/** Times in events read as those of every other program. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isoTime } from "../../src/platform/iso-time.ts";

describe("a time as text", () => {
  it("is what Date makes of it, whichever times were asked for before", () => {
    const anyTime = fc.date({ noInvalidDate: true }).map((date) => date.getTime());
    const sameHour = fc.integer({ min: 0, max: 3_600_000 }).map((ms) => 1_789_461_000_000 + ms);
    fc.assert(
      fc.property(fc.array(fc.oneof(anyTime, sameHour), { maxLength: 50 }), (times) => {
        expect(times.map(isoTime)).toEqual(times.map((ms) => new Date(ms).toISOString()));
      }),
      { numRuns: 200 },
    );
  });

  it("is refused where there is none", () => {
    expect(() => isoTime(Number.NaN)).toThrow(RangeError);
  });
});
