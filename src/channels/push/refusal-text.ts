/**
 * Why a push service refuses our keys, in its own words: a bare 403 does not tell a subject that it
 * does not like from a key that is not the subscription's, and those are mended in different places.
 */

/** Longer than any reason seen; the rest is of no interest. */
const MAX_CHARACTERS = 160;
/** Endpoints, tokens and keys have no place in a log. */
const LONG_WORD = /https?:\/\/[^\s"'<>]+|[^\s"'{}:,()]{33,}/gi;
const UNPRINTABLE = /[^\x20-\x7e]+/g;

/** @returns one line without anything that could be an address or a secret; undefined if nothing is left */
export function refusalText(body: string): string | undefined {
  const line = body
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(LONG_WORD, "[...]")
    .replaceAll(UNPRINTABLE, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, MAX_CHARACTERS);
  return line === "" ? undefined : line;
}
