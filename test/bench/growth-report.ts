/** The figures of the growth scenario: medians of all rounds, and their ratio to the fewest users. */
import type { GrowthRound } from "./growth.ts";
import { median } from "./median.ts";
import type { Measured } from "./summary.ts";
import { formatCount, formatMs, formatRatio, formatUs, type Table } from "./table.ts";

interface Step {
  readonly known: number;
  readonly p50: number;
  readonly p99: number;
  readonly restServerUs: number;
  readonly restRedisUs: number;
  readonly bulkPerSecond: number;
  readonly bulkServerUs: number;
  readonly bulkRedisUs: number;
}

const FIGURES = {
  p50: formatMs,
  p99: formatMs,
  restServerUs: formatUs,
  restRedisUs: formatUs,
  bulkPerSecond: formatCount,
  bulkServerUs: formatUs,
  bulkRedisUs: formatUs,
} as const satisfies Partial<Record<keyof Step, (value: number) => string>>;

/** In the order of the table. */
const NAMES = [
  "p50",
  "p99",
  "restServerUs",
  "restRedisUs",
  "bulkPerSecond",
  "bulkServerUs",
  "bulkRedisUs",
] as const;

/** By number of known users, fewest first. */
export function stepsOf(rounds: readonly GrowthRound[]): Step[] {
  const groups = [...Map.groupBy(rounds, ({ known }) => known)].toSorted(([a], [b]) => a - b);
  return groups.map(([known, group]) => {
    const of = (figure: (round: GrowthRound) => number | undefined): number =>
      median(group.map((round) => figure(round) ?? Number.NaN));
    return {
      known,
      p50: of(({ rest }) => rest.arrival.p50),
      p99: of(({ rest }) => rest.arrival.p99),
      restServerUs: of(({ rest }) => rest.eachUs["server"]),
      restRedisUs: of(({ rest }) => rest.eachUs["redis"]),
      bulkPerSecond: of(({ bulk }) => bulk.perSecond),
      bulkServerUs: of(({ bulk }) => bulk.eachUs["server"]),
      bulkRedisUs: of(({ bulk }) => bulk.eachUs["redis"]),
    };
  });
}

export function growthTable(rounds: readonly GrowthRound[]): Table {
  const steps = stepsOf(rounds);
  const [fewest] = steps;
  const figures = steps.map((step) => [
    formatCount(step.known),
    ...NAMES.map((name) => FIGURES[name](step[name])),
  ]);
  const ratios = steps
    .slice(1)
    .map((step) => [
      `${formatCount(step.known)}, ratio`,
      ...NAMES.map((name) => formatRatio(step[name], fewest?.[name])),
    ]);
  return {
    title: `Known users: 500/s by REST, then 10,000 in bulk; medians of ${rounds.length / steps.length} rounds:`,
    columns: [
      ["known users", ""],
      ["REST p50", "ms"],
      ["p99", "ms"],
      ["server", "us each"],
      ["redis", "us each"],
      ["bulk", "/s"],
      ["server", "us each"],
      ["redis", "us each"],
    ],
    rows: [...figures, ...ratios],
  };
}

/** The most users against the fewest. */
export function growthMeasured(rounds: readonly GrowthRound[]): Measured {
  const steps = stepsOf(rounds);
  const [fewest, most] = [steps[0], steps.at(-1)];
  if (fewest === undefined || most === undefined || most.known === fewest.known) return {};
  const part = (name: (typeof NAMES)[number]): string => formatRatio(most[name], fewest[name]);
  const { known } = most;
  return {
    growth:
      `p50 ${part("p50")}, p99 ${part("p99")}, bulk ${part("bulkPerSecond")} ` +
      `(${formatCount(known)} users)`,
  };
}
