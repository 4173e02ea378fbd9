/** All runs of a batch in tables: faults against promises, how long recovery took, what was violated. */
import { median } from "../../../bench/median.ts";
import type { Table } from "../../../bench/table.ts";
import { table } from "../../../support/markdown.ts";
import { PROMISES } from "../evidence.ts";
import { isSound, type RunResult } from "./result.ts";

/** Of sentences about one run. */
const TOLD_AT_MOST = 12;

/** What is shown of one run on one or a few lines. */
export function runLines(result: RunResult): string[] {
  const { seed, faults, asked, promises, troubles, durationMs } = result;
  const sum = (of: (finding: RunResult["promises"][number]) => number): number =>
    promises.reduce((total, finding) => total + of(finding), 0);
  const excluded = sum((finding) => finding.excluded);
  const head =
    `${isSound(result) ? "kept" : "BROKEN"}  seed ${seed}, ${faults.join(" + ") || "no fault"}: ` +
    `${asked} asked for, ${sum(({ checked }) => checked)} checks, ` +
    `${sum(({ violations }) => violations.length)} violations` +
    (excluded === 0 ? "" : `, ${excluded} excluded`) +
    `, ${Math.round(durationMs / 1_000)} s`;
  const faultsFound = promises.flatMap(({ promise, violations }) =>
    violations.map((sentence) => `  ${promise}: ${sentence}`),
  );
  const all = [...faultsFound, ...troubles.map((sentence) => `  ${sentence}`)];
  const more = all.length - TOLD_AT_MOST;
  return [head, ...all.slice(0, TOLD_AT_MOST), ...(more > 0 ? [`  and ${more} more`] : [])];
}

/** Faults x promises: how much was held to each, and how much of it was violated. */
export function promiseTable(results: readonly RunResult[]): Table {
  const rows = groupByFault(results).map(([fault, runs]) => [
    fault,
    String(runs.length),
    ...PROMISES.map((promise) => {
      const found = runs.flatMap((run) => run.promises.filter((one) => one.promise === promise));
      const checked = found.reduce((sum, one) => sum + one.checked, 0);
      const violated = found.reduce((sum, one) => sum + one.violations.length, 0);
      return violated === 0 ? String(checked) : `${checked} (${violated} BROKEN)`;
    }),
    String(sumExcluded(runs)),
  ]);
  return {
    title: "Checks of each promise, by fault (a run with several faults counts for each)",
    columns: [["fault"], ["runs"], ...PROMISES.map((name) => [name] as const), ["excluded"]],
    rows,
  };
}

/** Times from the end of a fault, or from the kill, where no other fault was near. */
export function recoveryTable(results: readonly RunResult[]): Table {
  const recoveries = results.flatMap((result) => result.recoveries);
  const byFault = [...Map.groupBy(recoveries, ({ fault }) => fault)];
  const sorted = byFault.toSorted(([one], [other]) => one.localeCompare(other));
  const rows = sorted.map(([fault, all]) => {
    const first = all.flatMap(({ firstMs }) => firstMs ?? []);
    const caughtUp = all.map(({ caughtUpMs }) => caughtUpMs);
    return [fault, String(all.length), ...spreadOf(first), ...spreadOf(caughtUp)];
  });
  return {
    title:
      "Recovery: the first message asked for afterwards arrives; the last one before has arrived",
    columns: [
      ["fault"],
      ["times"],
      ["first, median", "s"],
      ["first, worst", "s"],
      ["caught up, median", "s"],
      ["caught up, worst", "s"],
    ],
    rows,
  };
}

/** A table as the documentation has it. */
export function markdownOf({ title, columns, rows }: Table): string[] {
  const head = columns.map(([heading, unit]) =>
    unit === undefined ? heading : `${heading} (${unit})`,
  );
  return [`${title}.`, "", table(head, rows)];
}

function spreadOf(timesMs: readonly number[]): [string, string] {
  if (timesMs.length === 0) return ["-", "-"];
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  return [seconds(median(timesMs)), seconds(Math.max(...timesMs))];
}

const sumExcluded = (runs: readonly RunResult[]): number =>
  runs.flatMap(({ promises }) => promises).reduce((sum, { excluded }) => sum + excluded, 0);

function groupByFault(results: readonly RunResult[]): [string, RunResult[]][] {
  const groups = new Map<string, RunResult[]>();
  for (const result of results) {
    for (const fault of result.faults.length === 0 ? ["none"] : new Set(result.faults)) {
      groups.set(fault, [...(groups.get(fault) ?? []), result]);
    }
  }
  return [...groups].toSorted(([one], [other]) => one.localeCompare(other));
}
