/** How many SMS segments a text takes (3GPP TS 23.038, 23.040): what it costs, what a phone joins. */

/** The basic GSM 7-bit alphabet: one septet each. */
const GSM_BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
/** Reached through an escape: two septets each, which must stay together. */
const GSM_EXTENDED = new Set("\f^{}\\[~]|€");

/** A joined message spends part of each segment on saying which part it is. */
const GSM_UNITS = { alone: 160, joined: 153 };
const UCS2_UNITS = { alone: 70, joined: 67 };

export interface SmsSize {
  readonly encoding: "gsm7" | "ucs2";
  readonly segments: number;
  /** As networks count: `€` and its like are two in GSM-7, an emoji is two in UCS-2. */
  readonly characters: number;
}

function gsmUnits(character: string): number | undefined {
  if (GSM_BASIC.has(character)) return 1;
  return GSM_EXTENDED.has(character) ? 2 : undefined;
}

function countSegments(
  sizes: readonly number[],
  limit: { alone: number; joined: number },
): { characters: number; segments: number } {
  const characters = sizes.reduce((sum, size) => sum + size, 0);
  if (characters <= limit.alone) return { characters, segments: 1 };
  let segments = 1;
  let used = 0;
  for (const size of sizes) {
    // A character of two units does not straddle two segments.
    if (used + size > limit.joined) {
      segments += 1;
      used = 0;
    }
    used += size;
  }
  return { characters, segments };
}

/** One character outside the GSM alphabet turns the whole text into UCS-2. */
export function smsSize(text: string): SmsSize {
  const characters = Array.from(text);
  const septets: number[] = [];
  for (const character of characters) {
    const units = gsmUnits(character);
    if (units === undefined) {
      const sizes = characters.map((each) => each.length);
      return { encoding: "ucs2", ...countSegments(sizes, UCS2_UNITS) };
    }
    septets.push(units);
  }
  return { encoding: "gsm7", ...countSegments(septets, GSM_UNITS) };
}
