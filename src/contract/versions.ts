/**
 * Which forms of the ledger this version reads. Raised when what is kept in Redis changes in a way
 * that a reader of the form before would take for something else; a further field of a JSON text is
 * no such change. docs/decisions/0013 says what carries the number and who may write which.
 */

export interface FormatRange {
  /** What is left in an older form has to be settled by the version that wrote it. */
  readonly oldest: number;
  readonly newest: number;
  /**
   * For how long all living processes have read a newer form before it is written. Until then the
   * version before can be started again.
   */
  readonly raiseAfterMs: number;
}

export const LEDGER_FORMATS: FormatRange = { oldest: 3, newest: 3, raiseAfterMs: 600_000 };

/** The form that had no number yet: what is marked by `=` alone. */
const UNNUMBERED = 3;

const MARK = /(\d{0,4})=/y;

/** What stands in front of a note's state: `=`, and from form 4 on its number before that. */
export function formatMark(format: number): string {
  return format === UNNUMBERED ? "=" : `${format}=`;
}

/** Reads the mark that stands at a place of a text; undefined if none does. */
export function readFormatMark(
  text: string,
  at: number,
): { readonly format: number; readonly end: number } | undefined {
  // Nearly always, and a search costs more than the comparison.
  if (text.startsWith("=", at)) return { format: UNNUMBERED, end: at + 1 };
  MARK.lastIndex = at;
  const digits = MARK.exec(text)?.[1];
  if (digits === undefined) return undefined;
  return { format: Number(digits), end: MARK.lastIndex };
}
