/** Whether a text can be a phone number at all, by the numbering plans of the world's countries. */
import { parsePhoneNumberFromString } from "libphonenumber-js";

/**
 * Mexico dropped the 1 before mobile numbers in August 2019; address books and networks still write it.
 * One subscriber must not be two: a STOP that comes with it is about the number without.
 */
const MEXICAN_MOBILE_BEFORE_2019 = /^\+52\s?1[\s-]?(\d{10})$/;

/**
 * @returns E.164, or undefined if no plan knows such a number. Only lengths are checked, not
 *   ranges: those change more often than the library's copy of them. Nor is a number that stands
 *   somewhere in a text: that may be of another channel, or not meant.
 */
export function toE164(text: string): string | undefined {
  const current = text.replace(MEXICAN_MOBILE_BEFORE_2019, "+52$1");
  const parsed = parsePhoneNumberFromString(current, { extract: false });
  return parsed?.isPossible() === true ? parsed.number : undefined;
}
