/** The figures of the bulk scenario as tables; the table of the bare queue serves Kafka as well. */
import type { BareQueue } from "./bullmq-baseline.ts";
import type { BulkCourse } from "./bulk.ts";
import type { AckedStretch } from "./sustained-acks.ts";
import type { Measured } from "./summary.ts";
import { formatCount, formatPercent, formatRatio, formatUs, type Table } from "./table.ts";

/** In this order, as far as they took part. */
const PROCESSES = ["server", "api", "gateway", "worker", "ingest", "redis", "generator"] as const;

/** What ratios are taken to. */
export function referenceOf(bare: readonly BareQueue[]): number | undefined {
  return bare.find(({ mode }) => mode === "add")?.perSecond;
}

export function bulkTables(bare: readonly BareQueue[], courses: readonly BulkCourse[]): Table[] {
  return [
    ackedTable("From POST /notify/bulk to the client's ack, all records kept:", bare, courses),
  ];
}

interface Row {
  readonly name: string;
  readonly perSecond: number;
  readonly slowestSecond: number | undefined;
  readonly eachUs: Readonly<Record<string, number>>;
  readonly othersShare: number;
}

/** Bare BullMQ first, then what the product did to client ack. */
export function ackedTable(
  title: string,
  bare: readonly BareQueue[],
  courses: readonly { readonly target: string; readonly stretch: AckedStretch }[],
): Table {
  const reference = referenceOf(bare);
  const rows: readonly Row[] = [
    ...bare.map(({ mode, perSecond, serverUs, redisUs, othersShare }) => ({
      name: `BullMQ ${mode}`,
      perSecond,
      slowestSecond: undefined,
      eachUs: { server: serverUs, redis: redisUs },
      othersShare,
    })),
    ...courses.map(({ target, stretch }) => ({ name: target, ...stretch })),
  ];
  const took = PROCESSES.filter((name) => rows.some(({ eachUs }) => eachUs[name] !== undefined));
  return {
    title,
    columns: [
      ["", "processor us each"],
      ["rate", "/s"],
      ["slowest", "second"],
      ...took.map((name) => [name, name === "server" ? "all roles" : ""] as const),
      ["others", "of cores"],
      ["rate", "x BullMQ"],
    ],
    rows: rows.map((row) => [
      row.name,
      formatCount(row.perSecond),
      formatCount(row.slowestSecond),
      ...took.map((name) => formatUs(row.eachUs[name])),
      formatPercent(row.othersShare),
      formatRatio(row.perSecond, reference),
    ]),
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
