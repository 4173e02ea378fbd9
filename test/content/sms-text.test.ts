/** Typography gives way where it alone makes an SMS dear, and nowhere else. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smsSize } from "../../src/content/sms-segments.ts";
import { smsText } from "../../src/content/sms-text.ts";
import { dataFor, renderer, subject, template } from "./fixtures.ts";

describe("a text for SMS", () => {
  it.each([
    ["Don’t “wait” – it’s ‘now’…", `Don't "wait" - it's 'now'...`],
    ["« À lire »", '"À lire"', "ucs2"],
    ["« Café »", '"Café"'],
    ["Room 12\u00a0· floor\u202f2", "Room 12 - floor 2"],
    ["•\tPencils\u2028• Books", "- Pencils\n- Books"],
    ["Chromebook™ ® ©", "Chromebook(TM) (R) (C)"],
    ["A\u200bB\ufeff\u00ad\u200e", "AB"],
    ["`code` ´x´ 3\u2212 2 × 1⁄2", "'code' 'x' 3- 2 x 1/2"],
    ["Cafe\u0301", "Café"],
    ["Plain [text] {of} 5 €", "Plain [text] {of} 5 €"],
  ])("brings %j into the cheap alphabet", (text, expected, encoding = "gsm7") => {
    if (encoding === "ucs2") return expect(smsText(text)).toBe(text);
    expect(smsText(text)).toBe(expected);
    expect(smsSize(smsText(text)).encoding).toBe("gsm7");
  });

  it.each([
    "“Đã đến hạn” – xem…",
    "C’est reçu…",
    "第一节课 — 八点",
    "الدرس “الأول”…",
    "Well done… 👍",
    "½ day – free",
    "…".repeat(200),
  ])("leaves %j as it is: it would stay dear", (text) => {
    expect(smsText(text)).toBe(text);
  });

  it("never loses a letter or a figure, and never gets dearer", () => {
    const letters = (text: string): string => text.replaceAll(/[^\p{L}\p{N}]/gu, "");
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...Array.from("aé9Ж “”’–…•\u00a0«»€`\u200f😀ç")),
          maxLength: 400,
        }),
        (text) => {
          const made = smsText(text);
          expect(letters(made)).toBe(letters(text.normalize("NFC")));
          expect(smsSize(made).segments).toBeLessThanOrEqual(smsSize(text).segments);
          if (smsSize(made).encoding === "ucs2") expect(made).toBe(text.normalize("NFC"));
        },
      ),
    );
  });
});

describe("an SMS in a sender's own words", () => {
  const LINK = "https://notify.riverside-school.example/";
  const announcement = template("announcement");

  it("costs one segment, although its sender's keyboard writes curly quotes", () => {
    const title = "Today’s “late start” – buses run at nine…";
    const text = renderer.sms(announcement, subject({ title, body: "" }), LINK);
    expect(text).toBe(`New announcement\nToday's "late start" - buses run at nine...\n${LINK}`);
    expect(smsSize(text)).toMatchObject({ encoding: "gsm7", segments: 1 });
  });

  it("keeps its typography in a language that needs the dear alphabet", () => {
    const title = "今天“停课”——请看…";
    const about = subject({ title, body: "" }, { locale: "zh" });
    expect(renderer.sms(announcement, about, LINK)).toContain(title);
  });

  it("has a link that still leads where it should", () => {
    const odd = `${LINK}a\`b`;
    const text = renderer.sms(announcement, subject({ title: "A – B", body: "" }), odd);
    expect(text.endsWith(`${LINK}a%60b`)).toBe(true);
    expect(new URL(`${LINK}a%60b`).pathname).toBe("/a%60b");
    expect(smsSize(text).encoding).toBe("gsm7");
  });

  it("keeps more of what it says than the dear alphabet would have let it", () => {
    const matching = template("student_matching_confirmation_required");
    const batch_name = `Essays on “${"freedom ".repeat(4)}” – ${"class nine ".repeat(5)}`.trim();
    const about = subject({ ...dataFor(matching), batch_name });
    const text = renderer.sms(matching, about, LINK);
    expect(text).toContain('Essays on "freedom freedom freedom freedom " - class nine class nine');
    expect(smsSize(text)).toMatchObject({ encoding: "gsm7", segments: 2 });
  });
});
