/** A push that is too long is shortened so that a person can still read it, and is never refused for it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PUSH_PAYLOAD_BYTES } from "../../src/channels/channel.ts";
import { fitPayload, type FittedPayload } from "../../src/delivery/push-payload.ts";

const ACTIONS = ["view", "answer"].map((action) => ({ action, title: action, url: `/${action}` }));
const SHORT = { title: "A title", body: "A body", url: "/class/7", actions: ACTIONS, locale: "en" };
const LONG = "Homework is due on Monday. ".repeat(400);

function fit(changes: Partial<FittedPayload>): FittedPayload & { bytes: number } {
  const json = fitPayload({ ...SHORT, ...changes });
  // It is JSON of what was given.
  return { ...(JSON.parse(json) as FittedPayload), bytes: Buffer.byteLength(json) };
}

describe("a push message", () => {
  it("that fits is left as it is, to the last byte", () => {
    const room = MAX_PUSH_PAYLOAD_BYTES - fit({ body: "" }).bytes;
    const full = fit({ body: "x".repeat(room) });
    expect(full).toMatchObject({ ...SHORT, body: "x".repeat(room), bytes: MAX_PUSH_PAYLOAD_BYTES });
    expect(fit({ body: "x".repeat(room + 1) }).body).toBe(`${"x".repeat(room - 3)}…`);
  });

  it("loses the end of its body first, between two words, and nothing else", () => {
    // Wherever in a sentence the room ends.
    for (let shift = 0; shift < 27; shift += 1) {
      const long = `${"x".repeat(shift)} ${LONG}`;
      const { title, body, actions, bytes } = fit({ body: long });
      expect({ title, actions }).toEqual({ title: SHORT.title, actions: ACTIONS });
      expect(body).toMatch(/ (Homework|is|due|on|Monday\.?)…$/);
      expect(long.startsWith(body.slice(0, -1))).toBe(true);
      expect(bytes).toBeGreaterThan(MAX_PUSH_PAYLOAD_BYTES - "Homework ".length);
    }
  });

  it.each([
    ["Arabic", "ar", "الواجب المنزلي مستحق يوم الاثنين. ", 2],
    ["Chinese, which has no blanks", "zh", "家庭作业星期一截止。", 3],
    ["emoji of several code points", "en", "👩🏽‍🏫🏳️‍🌈👨‍👩‍👧‍👦", 40],
    ["letters with accents of their own", "sv", "La\u0308xa\u0301 ", 8],
    ["quotes and line breaks, which take two bytes each", "en", '"\n', 2],
  ])(
    "in %s is cut between characters, with little room left over",
    (_what, locale, part, spare) => {
      const text = part.repeat(2_000);
      const { body, bytes } = fit({ locale, body: text });
      expect(text.startsWith(body.slice(0, -1))).toBe(true);
      const kept = [...new Intl.Segmenter(locale).segment(body.slice(0, -1))];
      const given = [...new Intl.Segmenter(locale).segment(text)].slice(0, kept.length);
      expect(kept.map(({ segment }) => segment)).toEqual(given.map(({ segment }) => segment));
      expect(bytes).toBeGreaterThan(MAX_PUSH_PAYLOAD_BYTES - 40 - spare);
    },
  );

  it("loses its actions next, the last one first", () => {
    const url = `/${"u".repeat(MAX_PUSH_PAYLOAD_BYTES - 160)}`;
    const { title, url: kept, actions } = fit({ url, body: LONG });
    expect({ title, kept, actions }).toEqual({
      title: SHORT.title,
      kept: url,
      actions: [ACTIONS[0]],
    });
  });

  it("loses the end of its title after that", () => {
    const { title, body, actions, bytes } = fit({ title: LONG, body: LONG });
    expect(title).toMatch(/^Homework is .*…$/);
    expect({ body, actions }).toEqual({ body: "", actions: [] });
    expect(bytes).toBeGreaterThan(MAX_PUSH_PAYLOAD_BYTES - "Homework ".length);
  });

  it("leads to the start page if its link alone is too long", () => {
    const { title, body, url } = fit({ url: `/${"u".repeat(5_000)}` });
    expect({ title, body, url }).toEqual({ title: SHORT.title, body: SHORT.body, url: "/" });
  });

  it("has a title, however long its link is", () => {
    for (let length = 3_000; length < 4_000; length += 1) {
      const { title, url } = fit({ title: "Essay ready", url: `/${"u".repeat(length)}` });
      expect([title, url.length]).not.toEqual(["", length + 1]);
    }
  });

  it("always fits, whatever it says", () => {
    const unit = fc.constantFrom(
      "a",
      " ",
      "é",
      '"',
      "\n",
      "課",
      "👩🏽‍🏫",
      "\ud800",
      "\udc00",
      "x\u0308",
    );
    // Few parts, often repeated: long texts that shrink in few steps.
    const any = fc
      .tuple(fc.array(unit, { maxLength: 4 }), fc.nat(2_000))
      .map(([units, times]) => units.join("").repeat(times));
    fc.assert(
      fc.property(any, any, any, (title, body, url) => {
        const fitted = fit({ title, body, url });
        expect(fitted.bytes).toBeLessThanOrEqual(MAX_PUSH_PAYLOAD_BYTES);
      }),
    );
  });
});
