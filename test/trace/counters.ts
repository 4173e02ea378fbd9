/** Outcomes of which a socket shows nothing: the product's own counters must tell the same number. */
import { silentCounts, type Account } from "./account.ts";

/** @param counts of all processes, by role, outcome and reason */
export function counterFaults(
  { lines }: Pick<Account, "lines">,
  counts: ReadonlyMap<string, number>,
): string[] {
  const sum = (pattern: RegExp): number =>
    [...counts].reduce((total, [name, count]) => total + (pattern.test(name) ? count : 0), 0);
  const silent = silentCounts(lines);
  const dead = lines.filter(({ found }) => found === "dead").length;
  return [
    ["deduplicated", silent.get("deduplicated") ?? 0, sum(/^ingest deduplicated/)],
    ["repeated", silent.get("repeated") ?? 0, sum(/^ingest repeated/)],
    ["stale", silent.get("stale") ?? 0, sum(/skipped stale$/)],
    ["tombstones", silent.get("tombstone") ?? 0, sum(/skipped tombstone$/)],
    ["without an owner", silent.get("no_owner") ?? 0, sum(/skipped no_owner$/)],
    ["dead letters", dead, sum(/^\w+ dead_lettered/)],
  ].flatMap(([what, expected, counted]) =>
    expected === counted ? [] : [`the product counted ${counted} ${what}, not ${expected}`],
  );
}
