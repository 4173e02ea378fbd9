/** The figures of the REST scenario as tables. */
import type { RestCourse } from "./rest.ts";
import type { Stretch } from "./stretch.ts";
import type { Measured } from "./summary.ts";
import {
  formatCount,
  formatMs,
  formatPercent,
  formatRatio,
  formatUs,
  type Table,
} from "./table.ts";

const REFERENCE_RATE = 1_000;
const BASELINE = "baseline";
const TOGETHER = "product";
const APART = "roles apart";

export function restTables(courses: readonly RestCourse[]): Table[] {
  return [
    {
      title: "From the moment a request was due to its frame on the socket:",
      columns: [
        ["", ""],
        ["rate", "/s"],
        ["p50", "ms"],
        ["p95", "ms"],
        ["p99", "ms"],
        ["max", "ms"],
        ["202 p99", "ms"],
        ["sent late", "p99 ms"],
        ["in time", "+1 s"],
        ["kept up", ""],
        ["p99", "x baseline"],
      ],
      rows: courses.flatMap(({ target, stretches }) =>
        stretches.map((stretch) => timesRow(target, stretch, baselineAt(courses, stretch.rate))),
      ),
    },
    {
      title: "Processor time for each notification, in microseconds:",
      columns: [
        ["", ""],
        ["rate", "/s"],
        ["server", "all roles"],
        ["api"],
        ["gateway"],
        ["worker"],
        ["redis"],
        ["generator"],
        ["others", "of cores"],
      ],
      rows: courses.flatMap(({ target, stretches }) =>
        stretches.map(({ rate, eachUs, othersShare }) => [
          target,
          formatCount(rate),
          ...["server", "api", "gateway", "worker", "redis", "generator"].map((name) =>
            formatUs(eachUs[name]),
          ),
          formatPercent(othersShare),
        ]),
      ),
    },
  ];
}

function timesRow(target: string, stretch: Stretch, baseline: Stretch | undefined): string[] {
  const { rate, arrival, answer, late, verdict } = stretch;
  return [
    target,
    formatCount(rate),
    ...[arrival.p50, arrival.p95, arrival.p99, arrival.max, answer.p99, late.p99].map(formatMs),
    `${(verdict.deliveredShare * 100).toFixed(1)}%`,
    verdict.kept ? "yes" : "no",
    target === BASELINE ? "" : formatRatio(arrival.p99, baseline?.arrival.p99),
  ];
}

function stretchesOf(courses: readonly RestCourse[], name: string): readonly Stretch[] {
  return courses.find(({ target }) => target === name)?.stretches ?? [];
}

function baselineAt(courses: readonly RestCourse[], rate: number): Stretch | undefined {
  return stretchesOf(courses, BASELINE).find((stretch) => stretch.rate === rate);
}

/** What this brings to the summary. */
export function restMeasured(courses: readonly RestCourse[]): Measured {
  const reference = stretchesOf(courses, TOGETHER).find(({ rate }) => rate === REFERENCE_RATE);
  const baseline = baselineAt(courses, REFERENCE_RATE);
  const best = (name: string): Stretch | undefined =>
    stretchesOf(courses, name).findLast(({ verdict }) => verdict.kept);
  const apart = best(APART);
  const rateOf = (stretch: Stretch | undefined): string =>
    stretch === undefined ? "none" : `${formatCount(stretch.rate)}/s`;
  return {
    ...(reference === undefined
      ? {}
      : {
          latency:
            `p50 ${formatMs(reference.arrival.p50)}, p99 ${formatMs(reference.arrival.p99)} ms ` +
            `(bare ${formatMs(baseline?.arrival.p50)}, ${formatMs(baseline?.arrival.p99)})`,
          redis: `REST ${formatUs(reference.eachUs["redis"])} us`,
        }),
    sustained:
      `${rateOf(best(TOGETHER))}, ${rateOf(apart)} roles apart, ` +
      `API ${formatUs(apart?.eachUs["api"])} us`,
  };
}
