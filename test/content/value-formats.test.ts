/** Dates and numbers that are written again from memory read as if they were written anew. */
import { describe, expect, it } from "vitest";
import { createValueFormats } from "../../src/content/value-formats.ts";
import { LOCALES } from "../../src/contract/vocabulary.ts";

const SHARED = { numberingSystem: "latn", calendar: "gregory" } as const;
const formats = createValueFormats();
const readerIn = (timezone: string | undefined) =>
  ({ locale: "en", tag: "en-GB", timezone }) as const;

describe("a number", () => {
  it.each(LOCALES)("is written as the language %s writes it", (locale) => {
    const asIntl = new Intl.NumberFormat(locale, SHARED);
    const reader = { locale, tag: undefined, timezone: undefined };
    for (const value of [...Array(1_001).keys(), -1, -0, 0.5, 12_345, 1e21]) {
      expect(formats.number(value, reader)).toBe(asIntl.format(value));
    }
  });
});

describe("a date", () => {
  it("is that of its minute, in the reader's zone", () => {
    const written = (time: string, zone?: string) =>
      formats.date(Date.parse(time), readerIn(zone), "short");
    const all = (): void => {
      expect(written("2026-08-25T21:59:59.999Z", "Europe/Stockholm")).toContain(
        "25 Aug 2026, 23:59",
      );
      expect(written("2026-08-25T22:00:00.000Z", "Europe/Stockholm")).toContain(
        "26 Aug 2026, 0:00",
      );
      expect(written("2026-08-25T21:59:00.000Z")).toContain("25 Aug 2026, 21:59 UTC");
      expect(written("2026-08-25T21:59:00.000Z", "Asia/Kathmandu")).toContain("26 Aug 2026, 3:44");
    };
    all();
    // From memory.
    all();
  });

  it("of old, when zones counted seconds, is not that of its neighbours in the minute", () => {
    // Liberia was 44 minutes and 30 seconds behind until 1972.
    const reader = readerIn("Africa/Monrovia");
    const at = (time: string) => formats.date(Date.parse(time), reader, "short");
    expect(at("1960-06-01T12:44:29Z")).toContain("11:59");
    expect(at("1960-06-01T12:44:31Z")).toContain("12:00");
  });

  it("is as many days away as there are midnights between, to the second", () => {
    const days = (from: string, to: string) =>
      formats.daysBetween(Date.parse(from), Date.parse(to), readerIn("Europe/Stockholm"));
    const all = (): void => {
      expect(days("2026-08-25T21:59:59.999Z", "2026-08-25T22:00:00Z")).toBe(1);
      expect(days("2026-08-25T21:59:00Z", "2026-08-25T21:59:59.999Z")).toBe(0);
      // The night in which an hour is left out.
      expect(days("2026-03-28T23:30:00Z", "2026-03-29T22:30:00Z")).toBe(1);
    };
    all();
    all();
  });
});
