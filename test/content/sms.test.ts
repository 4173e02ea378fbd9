/** SMS: short enough to be cheap, in the alphabet that keeps it so, and with its link whole. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smsSize } from "../../src/content/sms-segments.ts";
import { LOCALES } from "../../src/contract/vocabulary.ts";
import { absences, dataFor, locales, renderer, subject, template, templates } from "./fixtures.ts";

/** As long as the links of a school's own domain get. */
const LINK = "https://notify.riverside-school.example/iep/iep_12345";
const withOwnText = templates
  .list()
  .filter(({ id, family }) => {
    const names = Object.keys(locales.entries("en", family)[id] ?? {});
    return names.some((name) => name.startsWith("sms"));
  })
  .map((each) => [each.id, each] as const);

describe("counting segments", () => {
  it.each([
    ["", "gsm7", 1],
    ["a".repeat(160), "gsm7", 1],
    ["a".repeat(161), "gsm7", 2],
    ["a".repeat(306), "gsm7", 2],
    ["a".repeat(307), "gsm7", 3],
    ["é".repeat(160), "gsm7", 1],
    ["€".repeat(80), "gsm7", 1],
    ["€".repeat(81), "gsm7", 2],
    // 76 pairs fill 152 of 153 septets; the next pair may not be split.
    ["€".repeat(153), "gsm7", 3],
    ["ç".repeat(70), "ucs2", 1],
    ["ç".repeat(71), "ucs2", 2],
    ["ç".repeat(134), "ucs2", 2],
    ["ç".repeat(135), "ucs2", 3],
    ["😀".repeat(35), "ucs2", 1],
    ["😀".repeat(67), "ucs2", 3],
  ])("takes %j as %s in %d", (text, encoding, segments) => {
    expect(smsSize(text)).toMatchObject({ encoding, segments });
  });

  it("counts as networks do: an escaped character and an emoji are two", () => {
    expect(smsSize("a€").characters).toBe(3);
    expect(smsSize("ç€").characters).toBe(2);
    expect(smsSize("😀!").characters).toBe(3);
  });

  /** TS 23.038, 6.2.1: 128 places, one of which is the escape; and its table of what that leads to. */
  it("knows every character of the standard, and no other", () => {
    const all = Array.from({ length: 0x2_100 }, (_each, code) => String.fromCharCode(code));
    const known = all.filter((character) => smsSize(character).encoding === "gsm7");
    const escaped = known.filter((character) => smsSize(character).characters === 2);
    expect(known.length - escaped.length).toBe(127);
    expect(escaped.sort().join("")).toBe("\f[\\]^{|}~€");
    expect(known).toEqual(expect.arrayContaining(Array.from("ΔΦΓΛΩΠΨΣΘΞ¤¡¿§ÄÖÑÜäöñüàÇØøÅåÆæßÉ")));
  });

  it("finds no room for a pair that a segment's end would cut in two", () => {
    // 152 septets and a pair: the pair opens the second segment, and 152 more fill that.
    expect(smsSize("a".repeat(152) + "€" + "a".repeat(151)).segments).toBe(2);
    expect(smsSize("a".repeat(152) + "€" + "a".repeat(152)).segments).toBe(3);
    expect(smsSize("ж".repeat(66) + "😀" + "ж".repeat(65)).segments).toBe(2);
    expect(smsSize("ж".repeat(66) + "😀" + "ж".repeat(66)).segments).toBe(3);
  });
});

describe("texts of their own", () => {
  it("exist for everything critical and for every IEP template", () => {
    const eligible = templates
      .list()
      .filter(({ priority, family, smsTier }) => {
        return priority === "critical" || family === "iep" || smsTier === "critical";
      })
      .map(({ id }) => id);
    expect(eligible.length).toBeGreaterThan(6);
    expect(withOwnText.map(([id]) => id)).toEqual(eligible);
  });

  it.each(withOwnText)("of %s take two segments at most and keep their link", (_id, each) => {
    for (const locale of LOCALES) {
      for (const absent of absences(each)) {
        for (const timezone of [undefined, "America/Argentina/ComodRivadavia"]) {
          const about = subject(dataFor(each, absent), { locale, timezone });
          const text = renderer.sms(each, about, LINK);
          expect(smsSize(text).segments, `${locale}: ${text}`).toBeLessThanOrEqual(2);
          expect(text.endsWith(LINK), `${locale}: ${text}`).toBe(true);
          expect(text).not.toMatch(/undefined|NaN|\{\{| {2}/);
        }
      }
    }
  });

  it.each(["en", "es", "sv", "fr"])("stay in the cheap alphabet in %s", (locale) => {
    for (const [, each] of withOwnText) {
      const text = renderer.sms(each, subject(dataFor(each), { locale }), LINK);
      expect(smsSize(text).encoding, text).toBe("gsm7");
    }
  });

  it("speak of a deadline that has passed as passed", () => {
    const { days_remaining: _days, ...data } = dataFor(template("iep_deadline_warning"));
    const about = subject(data, { now: Date.parse("2026-09-01T00:00:00Z") });
    expect(renderer.sms(template("iep_deadline_warning"), about, LINK)).toContain("passed");
  });
});

describe("what does not fit", () => {
  const matching = template("student_matching_confirmation_required");

  it("loses the end of a long name, never the link", () => {
    const about = subject({ ...dataFor(matching), batch_name: "Very long name ".repeat(13) });
    const text = renderer.sms(matching, about, LINK);
    expect(text).toMatch(/^128 essays in Very long name .*\.\.\. have no confirmed author/);
    expect(text.endsWith(LINK)).toBe(true);
    expect(smsSize(text).segments).toBe(2);
  });

  it("leads to the front page when the link alone is too long", () => {
    const long = `https://notify.riverside-school.example/iep/${"x".repeat(300)}`;
    const text = renderer.sms(template("iep_document_ready"), subject({}), long);
    expect(text.endsWith(" https://notify.riverside-school.example")).toBe(true);
  });

  it("never exceeds two segments, whatever free text says", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 200 }),
        fc.constantFrom(...LOCALES),
        (batch_name, locale) => {
          const about = subject({ ...dataFor(matching), batch_name }, { locale });
          expect(smsSize(renderer.sms(matching, about, LINK)).segments).toBeLessThanOrEqual(2);
        },
      ),
    );
  });
});

describe("a template without an SMS text", () => {
  it("sends what its lock screen shows when somebody raises it to critical", () => {
    const about = subject({ title: "School closed today", body: "Private details" });
    const text = renderer.sms(template("announcement"), about, LINK);
    expect(text).toBe(`New announcement\nSchool closed today\n${LINK}`);
  });
});
