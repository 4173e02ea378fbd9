/** Whether a text can be a phone number at all, by the numbering plans of the world's countries. */
import { parsePhoneNumberFromString } from "libphonenumber-js";

/**
 * @returns E.164, or undefined if no plan knows such a number. Only lengths are checked, not
 *   ranges: those change more often than the library's copy of them. Nor is a number that stands
 *   somewhere in a text: that may be of another channel, or not meant.
 */
export function toE164(text: string): string | undefined {
  const parsed = parsePhoneNumberFromString(text, { extract: false });
  return parsed?.isPossible() === true ? parsed.number : undefined;
}
