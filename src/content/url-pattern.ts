/** Patterns such as `/iep/{iep_id}`: where a notification leads, and what it replaces. */

const PLACEHOLDER = /\{([a-z0-9_]+)\}/g;

/** Names between braces, in order. */
export function placeholdersOf(pattern: string): string[] {
  return [...pattern.matchAll(PLACEHOLDER)].map(([, name = ""]) => name);
}

function partOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  // One or two dots alone would climb out of the path they are put into, encoded or not.
  return typeof value === "string" && !/^\.{0,2}$/.test(value) ? value : undefined;
}

/**
 * Puts values between the braces, percent-encoded; a pattern that is one field and nothing else
 * is that field as it stands. Undefined when a value is absent or could not be a part of a path.
 */
export function fillPattern(
  pattern: string,
  values: Readonly<Record<string, unknown>>,
): string | undefined {
  const names = placeholdersOf(pattern);
  const parts = new Map<string, string>();
  for (const name of names) {
    const part = partOf(values[name]);
    if (part === undefined) return undefined;
    parts.set(name, part);
  }
  if (names.length === 1 && pattern === `{${names[0]}}`) return parts.get(names[0] ?? "");
  return pattern.replace(PLACEHOLDER, (_whole, name: string) =>
    encodeURIComponent((parts.get(name) ?? "").toWellFormed()),
  );
}

/** Notifications with the same key replace one another on the lock screen; null: never. */
export function collapseKey(
  template: { readonly id: string; readonly collapse: string | undefined },
  data: Readonly<Record<string, unknown>>,
): string | null {
  const filled = template.collapse === undefined ? undefined : fillPattern(template.collapse, data);
  return filled === undefined ? null : `${template.id}:${filled}`;
}
