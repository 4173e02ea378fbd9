/** The table of scenario `replay`, and what became of its frames. */
import type { ReplayFigures } from "./replay.ts";
import { formatCount, formatMs, formatRatio, formatUs, type Table } from "./table.ts";

export function replayTable(baseline: ReplayFigures, product: ReplayFigures): Table {
  const row = (figures: ReplayFigures): string[] => [
    figures.name,
    formatMs(figures.elapsedMs),
    formatMs(figures.completed.p50),
    formatMs(figures.completed.p99),
    formatCount((figures.frames * 1_000) / figures.elapsedMs),
    formatCount(figures.frameBytes),
    formatUs(figures.eachUs["gateway"]),
    formatUs(figures.eachUs["redis"]),
    formatUs(figures.eachUs["api,worker"]),
    formatUs(figures.eachUs["generator"]),
  ];
  const ratio = (of: (figures: ReplayFigures) => number | undefined): string =>
    formatRatio(of(product), of(baseline));
  return {
    title: `${formatCount(product.users)} users come back at once for ${formatCount(product.frames)} messages`,
    columns: [
      [""],
      ["all there", "ms"],
      ["user p50", "ms"],
      ["user p99", "ms"],
      ["frames", "/s"],
      ["frame", "bytes"],
      ["gateway", "us each"],
      ["redis", "us each"],
      ["others", "us each"],
      ["generator", "us each"],
    ],
    rows: [
      row(baseline),
      row(product),
      [
        "ratio",
        ratio(({ elapsedMs }) => elapsedMs),
        ratio(({ completed }) => completed.p50),
        ratio(({ completed }) => completed.p99),
        ratio(({ frames, elapsedMs }) => frames / elapsedMs),
        "",
        ratio(({ eachUs }) => eachUs["gateway"]),
        "",
        "",
        "",
      ],
    ],
  };
}

export function replayNotes(figures: ReplayFigures): string[] {
  const { name, frames, gaps, reopened, othersShare, judgement } = figures;
  const { lost, doubled, strayed, outOfOrder } = judgement;
  return [
    `${name}: ${frames} frames; ${lost} lost, ${doubled} doubled, ${strayed} strayed, ` +
      `${outOfOrder} out of order; ${gaps} times told of a gap; ${reopened} sockets were closed and came back; ` +
      `others took ${(othersShare * 100).toFixed(0)}% of the cores.`,
  ];
}
