/** The figures as a table that fits a terminal. */
import type { Cost, Stretch } from "./measurement.ts";
import type { Course } from "./scenario.ts";

const HEADINGS = [
  "",
  "rate",
  "p50",
  "p95",
  "p99",
  "max",
  "202 p99",
  "server",
  "redis",
  "sent late",
];
const UNITS = ["", "/s", "ms", "ms", "ms", "ms", "ms", "us each", "us each", "p99 ms"];

export function reportOf(courses: readonly Course[]): string {
  const rows = courses.flatMap(({ target, stretches }) =>
    stretches.map((stretch) => rowOf(target, stretch)),
  );
  return [
    "From the moment a request was due to its frame on the socket:",
    "",
    ...align([HEADINGS, UNITS, ...rows, ...ratioRows(courses)]),
    "",
    ...courses.flatMap(verdictLines),
  ].join("\n");
}

const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
const us = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "-" : value.toFixed(0);
const percent = (share: number | undefined): string =>
  share === undefined || Number.isNaN(share) ? "-" : `${(share * 100).toFixed(0)}%`;

const ratio = (value: number, by: number): string => (by > 0 ? `${(value / by).toFixed(1)}x` : "-");

function rowOf(name: string, { rate, arrival, answer, serverUs, redisUs, generator }: Stretch) {
  const times = [arrival.p50, arrival.p95, arrival.p99, arrival.max, answer.p99].map(ms);
  return [name, String(rate), ...times, us(serverUs), us(redisUs), ms(generator.lag.p99)];
}

/** The product's figures over the baseline's at the same rate. */
function ratioRows(courses: readonly Course[]): string[][] {
  const stretchesOf = (name: Course["target"]): readonly Stretch[] =>
    courses.find(({ target }) => target === name)?.stretches ?? [];
  return stretchesOf("product").flatMap((product) => {
    const baseline = stretchesOf("baseline").find(({ rate }) => rate === product.rate);
    if (baseline === undefined) return [];
    const times = (["p50", "p95", "p99", "max"] as const).map((name) =>
      ratio(product.arrival[name], baseline.arrival[name]),
    );
    const answer = ratio(product.answer.p99, baseline.answer.p99);
    return [
      ["ratio", String(product.rate), ...times, answer, ratio(product.serverUs, baseline.serverUs)],
    ];
  });
}

/** Columns as wide as their widest cell; the first row has them all. */
export function align(rows: readonly (readonly string[])[]): string[] {
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

function verdictLines({ target, sockets, idle, stretches, judgement, dropped, counted }: Course) {
  const { accepted, arrived, lost, doubled, strayed, outOfOrder, overtaken, refused } = judgement;
  const loop = stretches.map(({ rate, generator }) => {
    return `${rate}/s ${ms(generator.loopDelayP99Ms)} (max ${ms(generator.loopDelayMaxMs)})`;
  });
  const lines = [
    `${target}: ${sockets} sockets, ${accepted} accepted, ${arrived} arrived; ${lost} lost, ` +
      `${doubled} doubled, ${strayed} strayed, ${outOfOrder} out of order, ${overtaken} overtaken, ` +
      `${refused} refused, ${dropped} sockets dropped`,
    `  of a core, server/redis/generator: idle ${shares(idle)}; ` +
      stretches.map(({ rate, cost }) => `${rate}/s ${shares(cost)}`).join("; "),
    `  other programs took ${stretches
      .map(({ rate, cost }) => `${percent(cost.othersShare)} at ${rate}/s`)
      .join(", ")} of all cores`,
    `  generator's event loop delay p99, ms: ${loop.join(", ")}`,
  ];
  if (counted !== undefined) lines.push(`  the product's analytics count ${counted} deliveries`);
  for (const [reason, times] of Object.entries(judgement.refusals)) {
    lines.push(`  refused ${times} times: ${reason}`);
  }
  return [...lines, ""];
}

function shares({ serverShare, redisShare, generatorShare }: Cost): string {
  return [serverShare, redisShare, generatorShare].map(percent).join("/");
}
