/** What a soak concludes from its samples: of whom memory grows, and what may. */
import { describe, expect, it } from "vitest";
import { isFlat, processLines, redisLines } from "./report.ts";
import { restBytes } from "./redis-gauge.ts";
import type { Samples } from "./sampler.ts";

const MB = 1_048_576;
const MINUTES = 30;
const MINUTE_MS = 60_000;

/** Megabytes, or keys, that come each minute. */
interface Growth {
  readonly workerHeap?: number;
  readonly gatewayFiles?: number;
  readonly notes?: number;
  readonly claimedKeys?: number;
}

function samplesWith(growth: Growth): Samples {
  const { workerHeap = 0, gatewayFiles = 0, notes = 0, claimedKeys = 0 } = growth;
  const minutes = Array.from({ length: MINUTES }, (_, minute) => minute);
  const usage = { external: 3 * MB, arrayBuffers: 0, resources: {}, series: 200 };
  const outside = { rssBytes: 200 * MB, files: 40, cpuMs: 0 };
  const redis = { rssBytes: 0, datasetBytes: 0, keys: 0, clients: 0, clientBytes: 0 };
  return {
    outside: minutes.map((minute) => ({
      atMs: minute * MINUTE_MS,
      processes: { worker: outside, gateway: { ...outside, files: 40 + gatewayFiles * minute } },
      redis: { ...redis, usedBytes: 0 },
      unsettled: 0,
      load: {},
    })),
    inside: minutes.map((minute) => {
      const kept = claimedKeys * minute;
      const noteBytes = 5 * MB + notes * MB * minute;
      return {
        atMs: minute * MINUTE_MS,
        processes: {
          worker: { ...usage, heapUsed: 60 * MB + workerHeap * MB * minute },
          gateway: { ...usage, heapUsed: 50 * MB },
        },
        redis: {
          usedBytes: 2 * MB + noteBytes + kept * 240,
          tableBytes: MB + kept * 40,
          kinds: {
            rec: { keys: 7_000, bytes: noteBytes },
            idem: { keys: kept, bytes: kept * 240 },
          },
        },
      };
    }),
  };
}

const grown = (samples: Samples): string[] =>
  [...processLines(samples), ...redisLines(samples)]
    .filter(({ verdict, kept }) => verdict === "grows" && kept === undefined)
    .map(({ of, figure }) => `${of}: ${figure}`);

describe("what a soak concludes", () => {
  it("names nothing where everything stands still", () => {
    const samples = samplesWith({});

    expect(grown(samples)).toEqual([]);
    expect(isFlat([...processLines(samples), ...redisLines(samples)])).toBe(true);
  });

  it("names the process whose heap grows, and no other", () => {
    const samples = samplesWith({ workerHeap: 0.5 });

    expect(grown(samples)).toEqual(["worker: heap MB"]);
    expect(isFlat(processLines(samples))).toBe(false);
  });

  it("names a process that leaks descriptors", () => {
    expect(grown(samplesWith({ gatewayFiles: 2 }))).toEqual(["gateway: descriptors"]);
  });

  it("names notes that do not run out, and the whole that grows with them", () => {
    expect(grown(samplesWith({ notes: 1 }))).toEqual([
      "redis: all but what is kept, MB",
      "redis: rec, KB",
    ]);
  });

  it("does not hold claimed keys against Redis, which are kept for a day", () => {
    const samples = samplesWith({ claimedKeys: 5_000 });

    expect(grown(samples)).toEqual([]);
    const [first, last] = [samples.inside.at(0), samples.inside.at(-1)];
    if (first === undefined || last === undefined) throw new Error("there are no samples");
    expect(restBytes(last.redis)).toBe(restBytes(first.redis));
  });
});
