/** Tables that fit a terminal, and how numbers are written in them. */

export interface Table {
  readonly title: string;
  /** A heading, and below it the unit where there is one: `["p99", "ms"]`. */
  readonly columns: readonly (readonly [heading: string, unit?: string])[];
  readonly rows: readonly (readonly string[])[];
}

export function tableLines({ title, columns, rows }: Table): string[] {
  const headings = columns.map(([heading]) => heading);
  const units = columns.map(([, unit = ""]) => unit);
  const hasUnits = units.some((unit) => unit !== "");
  return [title, "", ...align([headings, ...(hasUnits ? [units] : []), ...rows])];
}

/** Columns as wide as their widest cell; the first row has them all. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

const isKnown = (value: number | undefined): value is number =>
  value !== undefined && Number.isFinite(value);

export const formatMs = (value: number | undefined): string =>
  isKnown(value) ? value.toFixed(value < 100 ? 1 : 0) : "-";
export const formatUs = (value: number | undefined): string =>
  isKnown(value) ? value.toFixed(value < 10 ? 1 : 0) : "-";
export const formatCount = (value: number | undefined): string =>
  isKnown(value) ? Math.round(value).toLocaleString("en-US") : "-";
export const formatPercent = (share: number | undefined): string =>
  isKnown(share) ? `${(share * 100).toFixed(0)}%` : "-";
/** `value` as a multiple of `base`. */
export const formatRatio = (value: number | undefined, base: number | undefined): string =>
  isKnown(value) && isKnown(base) && base > 0 ? `${(value / base).toFixed(2)}x` : "-";
