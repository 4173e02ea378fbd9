/**
 * Brings a text into the alphabet of cheap SMS where only its typography stands in the way: one curly
 * quote makes UCS-2 of a whole text, in which a segment holds 70 characters instead of 160.
 */
import { smsSize } from "./sms-segments.ts";

/** What is written in place of a run of characters; letters are never changed, nor what has a meaning of its own. */
const SUBSTITUTES: readonly (readonly [RegExp, string])[] = [
  // French ones keep a blank inside, often one that does not break.
  [/«[\s\u00a0\u202f]*|[\s\u00a0\u202f]*»/gu, '"'],
  [/[“”„‟″]/gu, '"'],
  [/[‘’‚‛′‹›´`ʼ]/gu, "'"],
  [/[\u2010-\u2015\u2212]/gu, "-"],
  [/[•·●▪◦‣∙]/gu, "-"],
  [/…/gu, "..."],
  [/[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu, " "],
  [/\u2028|\u2029/gu, "\n"],
  // Soft hyphens, zero widths and marks of direction: nothing to see in letters that all run one way.
  [/[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu, ""],
  [/™/gu, "(TM)"],
  [/®/gu, "(R)"],
  [/©/gu, "(C)"],
  [/×/gu, "x"],
  [/⁄/gu, "/"],
];

/**
 * The text with letters and their accents joined, which is the same text; and with plain typography
 * where that alone makes it GSM-7. A text that needs UCS-2 anyway keeps its own.
 */
export function smsText(text: string): string {
  const composed = text.normalize("NFC");
  const size = smsSize(composed);
  if (size.encoding === "gsm7") return composed;
  const plain = SUBSTITUTES.reduce(
    (changed, [typography, substitute]) => changed.replaceAll(typography, substitute),
    composed,
  );
  const { encoding, segments } = smsSize(plain);
  // Nothing but dots of three would be longer than it was.
  return encoding === "gsm7" && segments <= size.segments ? plain : composed;
}

/** A backquote is the one character of an address that the alphabet lacks. */
export function smsLink(link: string): string {
  return link.replaceAll("`", "%60");
}
