/** Which answers to a text message are a wish to get no more, or to get them again. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keywordOf } from "../../src/channels/sms/keywords.ts";
import { twiml } from "../../src/channels/sms/twiml.ts";

const STOPS = ["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"];
const STARTS = ["START", "YES", "UNSTOP"];
const HELPS = ["HELP", "INFO"];
const WORDS = [
  ...STOPS.map((word) => [word, "stop"] as const),
  ...STARTS.map((word) => [word, "start"] as const),
  ...HELPS.map((word) => [word, "help"] as const),
];

describe("an answer", () => {
  it.each(WORDS)(
    "%s means %s, in any case and with anything around it but words",
    (word, means) => {
      const around = fc.string({
        unit: fc.constantFrom(..."  \t\n.,!?\"'()-*".split("")),
        maxLength: 8,
      });
      const spelling = fc.array(fc.boolean(), { minLength: word.length, maxLength: word.length });
      fc.assert(
        fc.property(around, spelling, around, (before, large, after) => {
          const letters = word.split("");
          const text = letters.map((each, at) => (large[at] === true ? each : each.toLowerCase()));
          expect(keywordOf(before + text.join("") + after)).toBe(means);
        }),
      );
    },
  );

  it.each([
    ["Stop.", "stop"],
    ["“STOP”", "stop"],
    ["stop 🛑", "stop"],
    ["opt-out", "stop"],
    ["Opt out", "stop"],
    ["STOP ALL", "stop"],
    ["ＳＴＯＰ", "stop"],
    ["\u200fSTOP\u200f", "stop"],
    ["yes!", "start"],
    ["info?", "help"],
  ])("%j means %s", (text, means) => {
    expect(keywordOf(text)).toBe(means);
  });

  it.each([
    "",
    "   ",
    "?",
    "Don't stop",
    "Stop it please",
    "stopp",
    "Please help me",
    "The end of the world",
    "no",
    "да",
    "STOP STOP",
    `STOP${" ".repeat(2_000)}`,
    "constructor",
  ])("%j asks for nothing", (text) => {
    expect(keywordOf(text)).toBeUndefined();
  });
});

describe("what Twilio is told", () => {
  it("is empty where there is nothing to say", () => {
    expect(twiml(undefined)).toBe('<?xml version="1.0" encoding="UTF-8"?><Response></Response>');
  });

  it("is text, whatever an installation's sentences hold", () => {
    expect(twiml("Tea & <b>cake</b>")).toContain(
      "<Message>Tea &amp; &lt;b&gt;cake&lt;/b&gt;</Message>",
    );
  });
});
