/** The table of scenario `critical`, and what became of all that was sent. */
import type { CriticalFigures, Window } from "./critical.ts";
import { formatCount, formatMs, type Table } from "./table.ts";

export function criticalTable({ unloaded, loaded }: CriticalFigures): Table {
  const row = (name: string, { arrival, queued, elapsedMs, drained }: Window): string[] => [
    name,
    formatCount(arrival.count),
    formatMs(arrival.p50),
    formatMs(arrival.p95),
    formatMs(arrival.p99),
    formatMs(arrival.max),
    formatCount(queued[0]),
    formatCount(queued[1]),
    formatCount((drained * 1_000) / elapsedMs),
  ];
  const more = (name: "p50" | "p95" | "p99" | "max"): string =>
    (loaded.arrival[name] - unloaded.arrival[name]).toFixed(1);
  return {
    title: "Critical ones by REST, from when each was due to its frame",
    columns: [
      [""],
      ["measured"],
      ["p50", "ms"],
      ["p95", "ms"],
      ["p99", "ms"],
      ["max", "ms"],
      ["queued", "at start"],
      ["queued", "at end"],
      ["low ones", "/s"],
    ],
    rows: [
      row("nothing queued", unloaded),
      row("behind low ones", loaded),
      ["difference", "", more("p50"), more("p95"), more("p99"), more("max"), "", "", ""],
    ],
  };
}

export function criticalNotes(figures: CriticalFigures, behind: boolean): string[] {
  const { judgement, counted, dropped, overtaken } = figures;
  const { accepted, arrived, lost, doubled, strayed, outOfOrder, refused } = judgement;
  const notes = [
    `critical and low ones: ${accepted} accepted, ${arrived} arrived; ${lost} lost, ${doubled} doubled, ` +
      `${strayed} strayed, ${outOfOrder} out of order, ${refused} refused, ${overtaken} low ones ` +
      `overtaken by low ones, ${dropped} sockets dropped; its own analytics count ${counted} delivered`,
  ];
  if (!behind) notes.push("There were not enough low ones in the queue: the figure says nothing.");
  return notes;
}
