/** The tables of scenario `memory`. */
import type { MemoryReading } from "./idle-gauge.ts";
import type { MemoryFigures, StoreStep } from "./memory.ts";
import { formatCount, formatRatio, type Table } from "./table.ts";

const BYTES_PER_MB = 1_024 * 1_024;
/** Less for each notification is not worth a line. */
const SHOWN_BYTES = 1;

export function storeTable(figures: MemoryFigures): Table {
  const { steps, notifications, users, requestBytes, frameBytes } = figures;
  const row = ({ name, bytes }: StoreStep): string[] => [
    name,
    (bytes / BYTES_PER_MB).toFixed(1),
    formatCount(bytes / notifications),
    formatRatio(bytes / notifications, frameBytes),
    formatCount(bytes / users),
  ];
  return {
    title:
      `Redis: what ${formatCount(notifications)} notifications add (a request has ` +
      `${formatCount(requestBytes)} bytes, its frame ${formatCount(frameBytes)})`,
    columns: [
      [""],
      ["added", "MB"],
      ["a notification", "bytes"],
      ["of its frame"],
      ["a user", "bytes"],
    ],
    rows: steps.map(row),
  };
}

export function kindTable({ steps, notifications }: MemoryFigures): Table {
  const names = [...new Set(steps.flatMap(({ kinds }) => kinds.map(({ kind }) => kind)))];
  const of = (step: StoreStep, name: string): number =>
    (step.kinds.find(({ kind }) => kind === name)?.bytes ?? 0) / notifications;
  const rows = names
    .map((name) => ({ name, added: steps.map((step) => of(step, name)) }))
    .filter(({ added }) => added.some((bytes) => Math.abs(bytes) >= SHOWN_BYTES))
    .toSorted((a, b) => Math.max(...b.added) - Math.max(...a.added));
  return {
    title: "Redis: the same by kind of key, in bytes for each notification",
    columns: [["kind"], ...steps.map((_, at) => [`step ${at + 1}`] as const)],
    rows: rows.map(({ name, added }) => [name, ...added.map((bytes) => formatCount(bytes))]),
  };
}

/** Flat means: what a process holds does not depend on how much has gone through it. */
export function processTable({ processes }: MemoryFigures): Table {
  const mb = (bytes: number | undefined): string =>
    bytes === undefined ? "-" : (bytes / BYTES_PER_MB).toFixed(1);
  const both = (reading: MemoryReading | undefined): string[] => [
    mb(reading?.rss),
    mb(reading?.heapUsed),
  ];
  return {
    title: "Processes: what they hold after so many notifications, garbage collected",
    columns: [
      ["notifications"],
      ["api, gateway", "MB"],
      ["of it heap", "MB"],
      ["worker", "MB"],
      ["of it heap", "MB"],
    ],
    rows: processes.map(({ notifications, api, worker }) => [
      formatCount(notifications),
      ...both(api),
      ...both(worker),
    ]),
  };
}
