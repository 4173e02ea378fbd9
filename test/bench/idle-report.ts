/** The table of scenario `idle`. */
import { formatCount, formatPercent, formatRatio, formatUs, type Table } from "./table.ts";

/** In bytes for each socket unless the name says otherwise. */
export interface IdleFigures {
  readonly name: string;
  readonly sockets: number;
  /** Resident before the first socket, for all of the process. */
  readonly startBytes: number;
  /** Resident, collected, after a round of heartbeats: the figure. */
  readonly perSocket: number;
  /** The same before that round. */
  readonly opened: number;
  /** After the round with its garbage, and with what V8 has reserved for new objects. */
  readonly asItStands: number;
  readonly heap: number;
  /** Processor time of opening one, in microseconds. */
  readonly openUs: number;
  /** Of one core, with all sockets open and nothing sent but heartbeats. */
  readonly idleShare: number;
  /** Sockets that got a heartbeat in the round. */
  readonly alive: number;
  /** Sockets that ended though nobody asked them to. */
  readonly dropped: number;
}

const BYTES_PER_MB = 1_024 * 1_024;

export function idleTable(baseline: IdleFigures, product: IdleFigures): Table {
  const row = (figures: IdleFigures): string[] => [
    figures.name,
    (figures.startBytes / BYTES_PER_MB).toFixed(0),
    formatCount(figures.perSocket),
    formatCount(figures.heap),
    formatCount(figures.asItStands),
    formatUs(figures.openUs),
    formatPercent(figures.idleShare),
  ];
  const ratio = (name: "perSocket" | "heap" | "asItStands" | "openUs"): string =>
    formatRatio(product[name], baseline[name]);
  return {
    title: `${formatCount(product.sockets)} sockets with nothing to receive: memory of each`,
    columns: [
      [""],
      ["at start", "MB"],
      ["resident", "bytes"],
      ["of it heap", "bytes"],
      ["uncollected", "bytes"],
      ["to open", "us"],
      ["all, idle", "of a core"],
    ],
    rows: [
      row(baseline),
      row(product),
      ["ratio", "", ratio("perSocket"), ratio("heap"), ratio("asItStands"), ratio("openUs"), ""],
    ],
  };
}
