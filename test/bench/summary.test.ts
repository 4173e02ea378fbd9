/** The summary may only say what this run measured. */
import { describe, expect, it } from "vitest";
import { growthMeasured, stepsOf } from "./growth-report.ts";
import type { GrowthRound } from "./growth.ts";
import { summaryTable } from "./summary.ts";
import { tableLines } from "./table.ts";

const lineOf = (measured: Parameters<typeof summaryTable>[0], what: string) =>
  summaryTable(measured)
    .rows.find(([name]) => name?.includes(what))
    ?.at(-1);

describe("the summary", () => {
  it("joins what several scenarios measured for the same line", () => {
    const measured = [{ redis: "REST 44 us" }, { redis: "bulk 31 us", ingest: "8,000/s" }];
    expect(lineOf(measured, "Redis")).toBe("REST 44 us; bulk 31 us");
  });

  it("says of a line that nothing was measured for it", () => {
    expect(lineOf([{ redis: "REST 44 us" }], "critical")).toBe("not run");
  });

  it("has its columns under one another", () => {
    const lines = tableLines({
      title: "t",
      columns: [["", ""], ["rate", "/s"], ["p99"]],
      rows: [
        ["baseline", "1,000", "5"],
        ["p", "20", "1,234.5"],
      ],
    });
    expect(lines.slice(2)).toEqual([
      "           rate      p99",
      "             /s",
      "baseline  1,000        5",
      "p            20  1,234.5",
    ]);
  });
});

/** Only what the report reads. */
function round(known: number, p99: number, perSecond: number): GrowthRound {
  const arrival = { count: 1, p50: p99 / 2, p95: p99, p99, max: p99 };
  const eachUs = { server: 100, redis: 50 };
  const verdict = { kept: true, deliveredShare: 1, p99: [p99, p99] as const };
  const common = { seconds: 1, eachUs, othersShare: 0 };
  return {
    known,
    rest: { ...common, rate: 500, arrival, answer: arrival, late: arrival, verdict },
    bulk: { ...common, acknowledged: 1, perSecond, slowestSecond: 1 },
  };
}

describe("growth", () => {
  const rounds = [
    round(1_000, 10, 8_000),
    round(1_000_000, 11, 7_200),
    round(1_000, 12, 8_200),
    round(1_000_000, 900, 7_600),
    round(1_000, 8, 1_000),
    round(1_000_000, 9, 7_400),
  ];

  it("compares medians, so that one disturbed round decides nothing", () => {
    const [few, many] = stepsOf(rounds);
    expect(few).toMatchObject({ known: 1_000, p99: 10, bulkPerSecond: 8_000 });
    expect(many).toMatchObject({ known: 1_000_000, p99: 11, bulkPerSecond: 7_400 });
    expect(growthMeasured(rounds).growth).toBe(
      "p50 1.10x, p99 1.10x, bulk 0.93x (1,000,000 users)",
    );
  });

  it("says nothing where there was nothing to compare", () => {
    expect(growthMeasured([round(1_000, 10, 8_000)])).toEqual({});
  });
});
