/** What the samples say: each figure with its slope and a verdict, as tables. */
import { formatCount, type Table } from "../bench/table.ts";
import { KEPT_KINDS, restBytes } from "./redis-gauge.ts";
import type { Samples } from "./sampler.ts";
import {
  afterWarmUp,
  judge,
  lowsOf,
  slopeOf,
  type Reading,
  type Slope,
  type Verdict,
} from "./slope.ts";

const MB = 1_048_576;
const KB = 1_024;
/** Longer than most bursts for which a process takes pages that it gives back. */
const LOW_WINDOW_MS = 150_000;

/** What each figure may grow by in an hour before it counts as a leak. */
const ALLOWED_PER_HOUR = {
  /** In bytes. Noise of the operating system's own: pages that are not given back. */
  rss: 6 * MB,
  heap: 1.5 * MB,
  external: 1.5 * MB,
  redis: 2 * MB,
  kind: MB,
  files: 20,
  /** The first collection of a kind that was rare brings 13 lines of a histogram. */
  series: 200,
} as const;

export interface Line {
  readonly of: string;
  readonly figure: string;
  /** By how much the figure is divided to be shown. */
  readonly unit: number;
  readonly slope: Slope | undefined;
  readonly allowedPerHour: number;
  /** Kept by design: shown, and not judged. */
  readonly kept?: string;
  readonly verdict: Verdict;
}

type Figure = Pick<Line, "of" | "figure" | "unit" | "allowedPerHour"> & {
  readonly readings: readonly Reading[];
};

const lineOf = (figure: Figure): Line =>
  judged({ ...figure, readings: afterWarmUp(figure.readings) });

function judged({ readings, ...figure }: Figure): Line {
  const slope = slopeOf(readings);
  return { ...figure, slope, verdict: judge(slope, figure.allowedPerHour) };
}

/** Each process: memory, descriptors, and what its metrics and resources have grown to. */
export function processLines({ outside, inside }: Samples): Line[] {
  const roles = Object.keys(outside[0]?.processes ?? {});
  return roles.flatMap((role) => {
    const seen = (figure: "rssBytes" | "files"): Reading[] =>
      outside.map(({ atMs, processes }) => ({ atMs, value: processes[role]?.[figure] ?? 0 }));
    const told = (figure: "heapUsed" | "external" | "series"): Reading[] =>
      inside.map(({ atMs, processes }) => ({ atMs, value: processes[role]?.[figure] ?? 0 }));
    const { rss, heap, external, files, series } = ALLOWED_PER_HOUR;
    const lows = lowsOf(afterWarmUp(seen("rssBytes")), LOW_WINDOW_MS);
    return [
      judged({ of: role, figure: "RSS MB, lows", unit: MB, allowedPerHour: rss, readings: lows }),
      ...[
        { of: role, figure: "heap MB", unit: MB, allowedPerHour: heap, readings: told("heapUsed") },
        {
          of: role,
          figure: "external MB",
          unit: MB,
          allowedPerHour: external,
          readings: told("external"),
        },
        {
          of: role,
          figure: "descriptors",
          unit: 1,
          allowedPerHour: files,
          readings: seen("files"),
        },
        {
          of: role,
          figure: "metric series",
          unit: 1,
          allowedPerHour: series,
          readings: told("series"),
        },
      ].map(lineOf),
    ];
  });
}

/** Redis: what has to stand still as a whole, then every kind of key. */
export function redisLines({ inside }: Samples): Line[] {
  const kinds = [...new Set(inside.flatMap(({ redis }) => Object.keys(redis.kinds)))].toSorted();
  const rest = lineOf({
    of: "redis",
    figure: "all but what is kept, MB",
    unit: MB,
    allowedPerHour: ALLOWED_PER_HOUR.redis,
    readings: inside.map(({ atMs, redis }) => ({ atMs, value: restBytes(redis) })),
  });
  const byKind = kinds.map((kind) => {
    const line = lineOf({
      of: "redis",
      figure: `${kind}, KB`,
      unit: KB,
      allowedPerHour: ALLOWED_PER_HOUR.kind,
      readings: inside.map(({ atMs, redis }) => ({ atMs, value: redis.kinds[kind]?.bytes ?? 0 })),
    });
    const kept = KEPT_KINDS[kind];
    return kept === undefined ? line : { ...line, kept };
  });
  return [rest, ...byKind];
}

/** Whether anything grows that must not. */
export function isFlat(lines: readonly Line[]): boolean {
  return lines.every(({ kept, verdict }) => kept !== undefined || verdict !== "grows");
}

export function linesTable(title: string, lines: readonly Line[]): Table {
  const shown = (value: number | undefined, unit: number): string =>
    value === undefined ? "-" : (value / unit).toFixed(unit === MB ? 2 : 0);
  return {
    title,
    columns: [["process"], ["figure"], ["start"], ["end"], ["per hour"], ["+/-"], ["verdict"]],
    rows: lines.map(({ of, figure, unit, slope, kept, verdict }) => [
      of,
      figure,
      shown(slope?.start, unit),
      shown(slope?.end, unit),
      shown(slope?.perHour, unit),
      shown(slope?.error, unit),
      kept === undefined ? verdict : `kept: ${kept}`,
    ]),
  };
}

/** What one of each kind takes in Redis, at the end. */
export function unitTable({ inside }: Samples): Table {
  const kinds = Object.entries(inside.at(-1)?.redis.kinds ?? {}).toSorted(
    ([, a], [, b]) => b.bytes - a.bytes,
  );
  return {
    title: "Redis at the end, by kind of key:",
    columns: [["kind"], ["keys"], ["KB"], ["bytes each"]],
    rows: kinds.map(([kind, { keys, bytes }]) => [
      kind,
      formatCount(keys),
      formatCount(bytes / KB),
      formatCount(bytes / keys),
    ]),
  };
}
