/** The table of scenario `push`. */
import { formatCount, formatPercent, formatRatio, formatUs, type Table } from "./table.ts";

/** Medians of the rounds. */
export interface PushFigures {
  readonly name: string;
  readonly sent: number;
  readonly refused: number;
  /** Processor time of one message, encrypted, signed and sent; microseconds. */
  readonly sentUs: number;
  /** Of one that is encrypted and signed only. */
  readonly sealedUs: number;
  /** Messages in a second that passed, with what else went on on this machine. */
  readonly perSecond: number;
  /** Of all cores, taken by anything but the sender; the push service is part of it. */
  readonly othersShare: number;
}

const US_PER_SECOND = 1_000_000;

export function pushTable(library: PushFigures, product: PushFigures): Table {
  const row = (of: PushFigures): string[] => [
    of.name,
    formatCount(of.sent),
    formatCount(of.refused),
    formatUs(of.sealedUs),
    formatUs(of.sentUs),
    formatCount(US_PER_SECOND / of.sealedUs),
    formatCount(US_PER_SECOND / of.sentUs),
    formatCount(of.perSecond),
    formatPercent(of.othersShare),
  ];
  return {
    title: "Messages to a push service over https, processor time of the sender",
    columns: [
      [""],
      ["sent"],
      ["refused"],
      ["sealed", "us each"],
      ["and sent", "us each"],
      ["sealed", "/s per core"],
      ["and sent", "/s per core"],
      ["passed", "/s"],
      ["others", "of all cores"],
    ],
    rows: [
      row(library),
      row(product),
      [
        "ratio",
        "",
        "",
        "",
        "",
        formatRatio(library.sealedUs, product.sealedUs),
        formatRatio(library.sentUs, product.sentUs),
        formatRatio(product.perSecond, library.perSecond),
        "",
      ],
    ],
  };
}
