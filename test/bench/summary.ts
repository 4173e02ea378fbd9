/** The lines that the whole bench comes down to: what must be reached, what is aimed at, what was measured. */
import type { Table } from "./table.ts";

/** What is held to. Only `measured` comes from a run; the scenarios named on the left bring it. */
const LINES = [
  {
    key: "ingest",
    what: "bulk or Kafka to client ack (bulk, kafka)",
    floor: "7,500/s, 0.5x bare BullMQ",
    aim: "15,000/s, 1.0x",
  },
  {
    key: "latency",
    what: "REST at 1,000/s to the frame (rest)",
    floor: "p50 <= 4 ms, p99 <= 20 ms",
    aim: "p99 <= 10 ms",
  },
  {
    key: "sustained",
    what: "REST sustained (rest)",
    floor: "2,000/s, 3,000/s roles apart, API <= 200 us",
    aim: "4,000/s",
  },
  {
    key: "idleSocket",
    what: "idle socket of 15,000 (idle)",
    floor: "<= 8 KB, <= 1.3x bare ws",
    aim: "1.1x",
  },
  {
    key: "critical",
    what: "critical p99 behind 100,000 low (critical)",
    floor: "unloaded + 25 ms",
    aim: "+ 5 ms",
  },
  {
    key: "growth",
    what: "1,000,000 known users against 1,000 (growth)",
    floor: "within 15%",
    aim: "within 5%",
  },
  {
    key: "reconnect",
    what: "2,000 come back, 100 messages each (replay)",
    floor: "complete, in order, <= 6 s",
    aim: "<= 3 s",
  },
  {
    key: "redis",
    what: "Redis for each notification (rest, bulk, kafka)",
    floor: "<= 50 us",
    aim: "30 us",
  },
] as const;

export type SummaryKey = (typeof LINES)[number]["key"];

/** What one scenario measured for these lines, ready to be read: `11,200/s, 0.8x`. */
export type Measured = Readonly<Partial<Record<SummaryKey, string>>>;

/** Lines without a figure in this run are shown as such, never filled from elsewhere. */
export function summaryTable(measured: readonly Measured[]): Table {
  return {
    title: "Summary: what must be reached, what is aimed at, and this run",
    columns: [["", ""], ["floor"], ["aim"], ["measured"]],
    rows: LINES.map(({ key, what, floor, aim }) => {
      const found = measured.flatMap((one) => one[key] ?? []);
      return [what, floor, aim, found.length === 0 ? "not run" : found.join("; ")];
    }),
  };
}
