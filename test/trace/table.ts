/** The account as a table for the screen: what was seen, and where it differs, what had to be. */
import { isAsExpected, tally, type Found, type Line } from "./account.ts";
import { DOMAIN_KINDS, TEACHER_TYPES } from "./catalog.ts";
import type { Side, Verdict } from "./expectation.ts";

interface Column {
  readonly heading: string;
  readonly verdicts: readonly Found[];
}

const COLUMNS: readonly Column[] = [
  { heading: "delivered", verdicts: ["delivered"] },
  { heading: "deduplicated", verdicts: ["deduplicated", "repeated"] },
  { heading: "skipped", verdicts: ["stale", "expired", "tombstone", "no_owner"] },
  { heading: "dead letters", verdicts: ["dead"] },
  { heading: "lost", verdicts: ["lost"] },
];

const SKIPPED: readonly { readonly verdict: Verdict; readonly words: string }[] = [
  { verdict: "repeated", words: "repeated an event id" },
  { verdict: "stale", words: "older than the limit" },
  { verdict: "expired", words: "past their deadline" },
  { verdict: "tombstone", words: "without a value" },
  { verdict: "no_owner", words: "without an owner" },
];

const TITLES: Readonly<Record<Side, string>> = {
  domain: "domain events",
  teacher: "teacher events",
};

/** A cell says `12`, or `11 (12)` where 12 had to be. */
export function tableOf(lines: readonly Line[]): string {
  return (["domain", "teacher"] as const)
    .map((side) =>
      sectionOf(
        TITLES[side],
        lines.filter(({ expected }) => expected.side === side),
      ),
    )
    .join("\n\n");
}

function sectionOf(title: string, lines: readonly Line[]): string {
  const types = [...new Set(lines.map(({ expected }) => expected.type))].sort();
  const rows = types.map((type) =>
    rowOf(
      type,
      lines.filter(({ expected }) => expected.type === type),
    ),
  );
  const header = [title, "in the files", ...COLUMNS.map(({ heading }) => heading)];
  const why = SKIPPED.flatMap(({ verdict, words }) => {
    const count = lines.filter(({ found }) => found === verdict).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  return [
    ...align([header, ...rows, rowOf("all", lines)]),
    ...(why.length === 0 ? [] : [`of which ${why.join(", ")}`]),
  ].join("\n");
}

function rowOf(name: string, lines: readonly Line[]): string[] {
  const counts = tally(lines);
  const cells = COLUMNS.map(({ verdicts }) => {
    const sum = (which: "found" | "expected"): number =>
      verdicts.reduce((total, verdict) => total + (counts.get(verdict)?.[which] ?? 0), 0);
    const [found, expected] = [sum("found"), sum("expected")];
    return found === expected ? String(found) : `${found} (${expected})`;
  });
  return [name, String(lines.length), ...cells];
}

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

/** A sentence for each record that became something else than it had to, the first few of them. */
export function differences(lines: readonly Line[], limit: number): string[] {
  const wrong = lines.filter((line) => !isAsExpected(line));
  const told = wrong.slice(0, limit).map(({ expected, found }) => {
    const { side, type, userId, correlationId, verdict } = expected;
    return `${side} ${type} for ${userId} (${correlationId}): ${found}, not ${verdict}`;
  });
  return wrong.length > limit ? [...told, `and ${wrong.length - limit} more`] : told;
}

/** What reached a socket of its owner, out of all that there is. */
export interface Reach {
  readonly sentence: string;
  /** Types that had to and did not. */
  readonly missing: readonly string[];
}

/**
 * @param isWhole whether every type has to be among what is shown: files of one's own hold what they
 * hold, and what becomes of that is in the account.
 */
export function reachOf(lines: readonly Line[], isWhole: boolean): Reach {
  const [domain, teacher] = [unheard(lines, "domain"), unheard(lines, "teacher")];
  const missing = isWhole ? [...domain, ...teacher] : [];
  const kinds = TYPES.domain.length - domain.length;
  const types = TYPES.teacher.length - teacher.length;
  const reached = `${kinds} of ${TYPES.domain.length} domain kinds and ${types} of ${TYPES.teacher.length} teacher types reached a socket of their owner`;
  const others = missing.length === 0 ? "" : `, but not ${missing.join(", ")}`;
  return { sentence: `${reached}${others}.`, missing };
}

const TYPES: Readonly<Record<Side, readonly string[]>> = {
  domain: [...DOMAIN_KINDS.keys()],
  teacher: [...TEACHER_TYPES],
};

function unheard(lines: readonly Line[], side: Side): string[] {
  const heard = new Set(
    lines
      .filter(({ expected, found }) => expected.side === side && found === "delivered")
      .map(({ expected }) => expected.type),
  );
  return TYPES[side].filter((type) => !heard.has(type)).map((type) => `${side} ${type}`);
}
