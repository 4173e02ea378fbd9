/** The figures of the bulk scenario as tables; the table of the bare queue serves Kafka as well. */
import type { BareQueue } from "./bullmq-baseline.ts";
import type { BulkCourse } from "./bulk.ts";
import type { AckedStretch } from "./sustained-acks.ts";
import type { Measured } from "./summary.ts";
import { formatCount, formatPercent, formatRatio, formatUs, type Table } from "./table.ts";

const PROCESSES = ["server", "api", "gateway", "worker", "redis", "generator"] as const;

/** What ratios are taken to. */
export function referenceOf(bare: readonly BareQueue[]): number | undefined {
  return bare.find(({ mode }) => mode === "add")?.perSecond;
}

export function bulkTables(bare: readonly BareQueue[], courses: readonly BulkCourse[]): Table[] {
  return [
    ackedTable("From POST /notify/bulk to the client's ack, all records kept:", bare, courses),
  ];
}

/** Bare BullMQ first, then what the product did to client ack. */
export function ackedTable(
  title: string,
  bare: readonly BareQueue[],
  courses: readonly { readonly target: string; readonly stretch: AckedStretch }[],
): Table {
  const reference = referenceOf(bare);
  return {
    title,
    columns: [
      ["", "processor us each"],
      ["rate", "/s"],
      ["slowest", "second"],
      ["server", "all roles"],
      ["api"],
      ["gateway"],
      ["worker"],
      ["redis"],
      ["generator"],
      ["others", "of cores"],
      ["rate", "x BullMQ"],
    ],
    rows: [
      ...bare.map(({ mode, perSecond, serverUs, redisUs, othersShare }) => [
        `BullMQ ${mode}`,
        formatCount(perSecond),
        "-",
        formatUs(serverUs),
        "-",
        "-",
        "-",
        formatUs(redisUs),
        "-",
        formatPercent(othersShare),
        formatRatio(perSecond, reference),
      ]),
      ...courses.map(({ target, stretch }) => [
        target,
        formatCount(stretch.perSecond),
        formatCount(stretch.slowestSecond),
        ...PROCESSES.map((name) => formatUs(stretch.eachUs[name])),
        formatPercent(stretch.othersShare),
        formatRatio(stretch.perSecond, reference),
      ]),
    ],
  };
}

export function bulkMeasured(bare: readonly BareQueue[], courses: readonly BulkCourse[]): Measured {
  const best = courses.toSorted((a, b) => b.stretch.perSecond - a.stretch.perSecond)[0];
  if (best === undefined) return {};
  const { perSecond, eachUs } = best.stretch;
  const ratio = formatRatio(perSecond, referenceOf(bare));
  return {
    ingest: `bulk ${formatCount(perSecond)}/s, ${ratio} (${best.target})`,
    redis: `bulk ${formatUs(eachUs["redis"])} us`,
  };
}
