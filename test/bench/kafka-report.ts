/** The figures of the Kafka scenario as tables. */
import { ackedTable, referenceOf } from "./bulk-report.ts";
import type { BareQueue } from "./bullmq-baseline.ts";
import type { KafkaCourse } from "./kafka-delivery.ts";
import type { Drain } from "./kafka-intake.ts";
import type { Measured } from "./summary.ts";
import {
  formatCount,
  formatMs,
  formatPercent,
  formatRatio,
  formatUs,
  type Table,
} from "./table.ts";

const BARE = "bare consumer";

export function kafkaTables(
  drains: readonly Drain[],
  bare: readonly BareQueue[],
  courses: readonly KafkaCourse[],
): Table[] {
  const title =
    "A heap of events, until each is acknowledged (bare consumer: written and forgotten):";
  return [intakeTable(drains), ackedTable(title, bare, courses), steadyTable(courses)];
}

function intakeTable(drains: readonly Drain[]): Table {
  const reference = drains.find(({ target }) => target === BARE)?.perSecond;
  return {
    title:
      "Events that lay on the topic, until each is in the ledger (bare consumer: read, parsed):",
    columns: [
      ["", ""],
      ["events"],
      ["rate", "/s"],
      ["server", "us each"],
      ["redis", "us each"],
      ["others", "of cores"],
      ["rate", "x bare"],
    ],
    rows: drains.map(({ target, events, perSecond, eachUs, othersShare }) => [
      target,
      formatCount(events),
      formatCount(perSecond),
      formatUs(eachUs["server"]),
      formatUs(eachUs["redis"]),
      formatPercent(othersShare),
      formatRatio(perSecond, reference),
    ]),
  };
}

function steadyTable(courses: readonly KafkaCourse[]): Table {
  const reference = courses.find(({ target }) => target === BARE)?.steady.arrival.p99;
  return {
    title: "A steady stream, from when an event was due to its frame on the socket:",
    columns: [
      ["", ""],
      ["rate", "/s"],
      ["p50", "ms"],
      ["p95", "ms"],
      ["p99", "ms"],
      ["max", "ms"],
      ["p99", "x bare"],
    ],
    rows: courses.map(({ target, steady: { rate, arrival } }) => [
      target,
      formatCount(rate),
      ...[arrival.p50, arrival.p95, arrival.p99, arrival.max].map(formatMs),
      formatRatio(arrival.p99, reference),
    ]),
  };
}

/** The better of the product's two arrangements. */
export function kafkaMeasured(
  bare: readonly BareQueue[],
  courses: readonly KafkaCourse[],
): Measured {
  const [best] = courses
    .filter(({ target }) => target !== BARE)
    .toSorted((a, b) => b.stretch.perSecond - a.stretch.perSecond);
  if (best === undefined) return {};
  const { perSecond, eachUs } = best.stretch;
  const ratio = formatRatio(perSecond, referenceOf(bare));
  return {
    ingest: `Kafka ${formatCount(perSecond)}/s, ${ratio} (${best.target})`,
    redis: `Kafka ${formatUs(eachUs["redis"])} us`,
  };
}
