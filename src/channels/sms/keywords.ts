/** What somebody asks for who answers a text message with one word. */

export type Keyword = "stop" | "start" | "help";

/** As Twilio and the carriers have them: docs/OPT-OUTS.md. */
const KEYWORDS: ReadonlyMap<string, Keyword> = new Map([
  ...["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"].map(
    (word) => [word, "stop"] as const,
  ),
  ...["START", "YES", "UNSTOP"].map((word) => [word, "start"] as const),
  ...["HELP", "INFO"].map((word) => [word, "help"] as const),
]);

/** No keyword is nearly as long, with whatever stands around it. */
const MAX_LENGTH = 64;

/**
 * The whole message must be the word: "don't stop" asks for nothing. In any case, with whatever blanks
 * and punctuation around it or within ("Stop.", "opt-out", "STOP ALL").
 */
export function keywordOf(text: string): Keyword | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const word = text
    .normalize("NFKC")
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "");
  return KEYWORDS.get(word);
}
