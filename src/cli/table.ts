/** Lays out rows of text for a terminal: no line is longer than it, and nothing can steer it. */

export interface Column {
  readonly title: string;
  /** May lose its middle where the line is too long; `id` and times never do. */
  readonly shrinks?: boolean;
}

const GAP = "  ";
/** Less would tell nothing. */
const LEAST_WIDTH = 8;
const ELLIPSIS = "…";

/**
 * What was written by others may hold line breaks and escape sequences; on the screen they are
 * shown as a replacement character.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
}

/** One line per row below the titles, at most `width` columns each. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const shown = rows.map((row) => columns.map((_column, index) => printable(row[index] ?? "")));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...shown.map((row) => row[index]?.length ?? 0)),
  );
  const excess = (): number =>
    widths.reduce((sum, each) => sum + each, (widths.length - 1) * GAP.length) - width;
  while (excess() > 0) {
    const widest = columns.reduce<number | undefined>((found, { shrinks }, index) => {
      const own = widths[index] ?? 0;
      if (shrinks !== true || own <= LEAST_WIDTH) return found;
      return found === undefined || own > (widths[found] ?? 0) ? index : found;
    }, undefined);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => shorten(cell, widths[index] ?? 0).padEnd(widths[index] ?? 0))
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...shown.map(line)].join("\n");
}

/** Takes from the middle: the ends of a topic's name tell most. */
function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const head = Math.ceil((width - ELLIPSIS.length) / 2);
  const tail = width - ELLIPSIS.length - head;
  return text.slice(0, head) + ELLIPSIS + text.slice(text.length - tail);
}
