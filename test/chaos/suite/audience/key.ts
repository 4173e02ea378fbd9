/** The word by which a message is known to whoever asked for it, wherever it turns up. */

/** Begins with the run's own part, ends with a number; other words of a text do not look like it. */
export const KEY_PATTERN = /\bk-[0-9a-z]+(?:-[0-9a-z]+)*\b/;

/** @returns empty where a text holds none. */
export function keyIn(text: string): string {
  return KEY_PATTERN.exec(text)?.[0] ?? "";
}
