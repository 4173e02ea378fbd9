/** Versions side by side: this process tells what it reads and can say, and hears what others do. */
import type { Redis } from "../platform/redis.ts";
import { LEDGER_FORMATS, type FormatRange } from "../contract/versions.ts";
import type { Clock } from "../platform/clock.ts";
import { ConfigError } from "../platform/config.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import type { Logger } from "../platform/logger.ts";
import type { Metrics } from "../platform/metrics.ts";
import {
  createProcessCensus,
  readProcessEntries,
  type ProcessCensus,
} from "../platform/process-census.ts";
import type { Resources } from "../platform/resources.ts";
import {
  agreeOnLedgerFormat,
  createLedgerFormats,
  type LedgerFormats,
  type NewerThing,
} from "../tracking/ledger-format.ts";
import { version } from "./version.ts";

export interface SideBySide {
  readonly census: ProcessCensus;
  readonly formats: LedgerFormats;
  /** Counts what is left alone, and says so once for each kind. */
  readonly leftAlone: (what: LeftAlone) => void;
  /**
   * Whether a note that this process cannot put into words is left as it is, because another version or
   * configuration runs beside this one that may know it.
   */
  leaveWords(): Promise<boolean>;
  /** Asks anew which form is to be written; it is done with each telling of the census. */
  refresh(): Promise<void>;
}

/** What is left alone. `words`: a note whose template is not known here, or whose request is not read. */
type LeftAlone = NewerThing | "message" | "answer" | "words";

/**
 * Processes that differ for longer are no upgrade under way, but set up differently for good; then what
 * cannot be put into words fails, loudly, as it does where all are alike.
 */
const MIXED_FOR_MS = 3_600_000;
/** Older than any restart takes. */
const OLD_DATA_MS = 120_000;

interface SideBySideDeps {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly resources: Resources;
  readonly nodeId: string;
  /** What this version reads; tests stand in for a later one. */
  readonly range?: FormatRange | undefined;
}

/** Nobody said goodbye, and nobody is there: all were killed, or this is a backup of while they ran. */
async function warnOfOldData({ redis, keyspace, clock, logger }: SideBySideDeps): Promise<void> {
  const times = [...(await readProcessEntries({ redis, keyspace })).values()].map(({ at }) => at);
  const endsAt = Math.max(...times);
  if (times.length === 0 || clock.now() - endsAt < OLD_DATA_MS) return;
  logger.warn(
    { event: "redis.old_data", ends_at: new Date(endsAt).toISOString() },
    "if this Redis was restored from a backup, stop and see npm run schoolbell -- restore --help",
  );
}

/** @throws ConfigError if this Redis holds what this version cannot read. */
export async function openSideBySide(deps: SideBySideDeps): Promise<SideBySide> {
  const { redis, keyspace, clock, logger, metrics, resources, nodeId } = deps;
  const range = deps.range ?? LEDGER_FORMATS;
  const said = new Set<LeftAlone>();
  const leftAlone = (what: LeftAlone): void => {
    metrics.leftAlone.inc({ what });
    if (said.has(what)) return;
    said.add(what);
    logger.warn({ event: "left_alone", what }, "left to another version of Schoolbell");
  };
  const census = createProcessCensus({
    redis,
    keyspace,
    clock,
    logger,
    nodeId,
    version,
    reads: range.newest,
    onTold: refresh,
    onRewound: () => metrics.redisRewinds.inc(),
  });
  const formats = createLedgerFormats({
    redis,
    keyspace,
    clock,
    range,
    living: () => census.living(),
    onNewer: leftAlone,
  });
  let mixedSince: number | undefined;

  async function isUpgrading(): Promise<boolean> {
    mixedSince = (await census.isMixed()) ? (mixedSince ?? clock.now()) : undefined;
    return mixedSince !== undefined && clock.now() - mixedSince < MIXED_FOR_MS;
  }

  async function refresh(): Promise<void> {
    await formats.refresh();
    await isUpgrading();
  }

  await warnOfOldData(deps);
  // Told first, asked after: see `refresh`. What it can say is known once its templates are read.
  await census.announce("");
  const disagreement = await agreeOnLedgerFormat({ redis, keyspace }, range);
  if (disagreement !== undefined) {
    await census.close();
    throw new ConfigError(disagreement);
  }
  resources.add("process census", () => census.close());
  await refresh();
  return {
    census,
    formats,
    leftAlone,
    refresh,
    async leaveWords() {
      const isLeft = await isUpgrading();
      if (isLeft) leftAlone("words");
      return isLeft;
    },
  };
}
