/** What was sent and what came of it, by UTC day of acceptance. Each notification counts once. */
import { z } from "zod";
import { CHANNELS, STATUSES } from "../contract/vocabulary.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { runForEach, type Redis } from "../platform/redis.ts";
import { percentileMs } from "./latency-buckets.ts";

const channelStatistics = z.object({
  sent: z.number().describe("notifications tried on this channel"),
  delivered: z.number(),
  confirmed: z.number(),
  failed: z.number().describe("errors; nobody online is not one"),
  success_rate: z.number().describe("delivered / sent, two decimals"),
});

const websocketStatistics = channelStatistics.extend({
  sent: z
    .number()
    .describe("notifications that asked for this channel, also those to people who were offline"),
  offline: z
    .number()
    .describe("met no open socket and went on to the next channel; not counted as failed"),
  success_rate: z
    .number()
    .describe(
      "delivered / sent, two decimals: mostly how many were online. Of those who were, delivered / (sent - offline)",
    ),
});

export const analyticsSchema = z.object({
  start_date: z.string(),
  end_date: z.string(),
  total_notifications: z.number(),
  delivery_stats: z.object({
    websocket: websocketStatistics,
    push: channelStatistics,
    sms: channelStatistics,
  }),
  notification_types: z.record(z.string(), z.number()),
  statuses: z.record(z.enum(STATUSES), z.number()).describe("how settled ones ended"),
  late: z.number().describe("reached after they had settled"),
  response_times: z
    .object({ average_ms: z.number(), p95_ms: z.number(), p99_ms: z.number() })
    .describe("acceptance to delivery; percentiles are upper bounds of buckets"),
  connection_stats: z.object({ total_connections: z.number(), active_users: z.number() }),
});
export type AnalyticsReport = z.infer<typeof analyticsSchema>;

const DAY_MS = 86_400_000;
/** Hashes read in one round trip. */
const BATCH = 512;

export interface Analytics {
  /** Both days inclusive, `2026-11-21`. */
  read(startDate: string, endDate: string): Promise<AnalyticsReport>;
}

export function createAnalytics(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly census: () => Promise<{ total_connections: number; active_users: number }>;
}): Analytics {
  const { redis, keyspace } = deps;

  async function sum(keys: readonly string[]): Promise<Map<string, number>> {
    const totals = new Map<string, number>();
    for (let from = 0; from < keys.length; from += BATCH) {
      const batch = keys.slice(from, from + BATCH);
      for (const reply of await runForEach(redis, batch, (key) => ["hgetall", key])) {
        const hash = z.record(z.string(), z.coerce.number()).parse(reply);
        for (const [field, value] of Object.entries(hash)) {
          totals.set(field, (totals.get(field) ?? 0) + value);
        }
      }
    }
    return totals;
  }

  return {
    async read(startDate, endDate) {
      const keys: string[] = [];
      for (let at = Date.parse(startDate); at <= Date.parse(endDate); at += DAY_MS) {
        const day = new Date(at).toISOString().slice(0, 10);
        for (let shard = 0; shard < keyspace.shards; shard += 1) {
          keys.push(keyspace.sharded(shard, `stat:${day}`));
        }
      }
      const [totals, census] = await Promise.all([sum(keys), deps.census()]);
      return reportOf(startDate, endDate, totals, census);
    },
  };
}

function reportOf(
  startDate: string,
  endDate: string,
  totals: ReadonlyMap<string, number>,
  census: { total_connections: number; active_users: number },
): AnalyticsReport {
  const value = (field: string): number => totals.get(field) ?? 0;
  const channel = (name: (typeof CHANNELS)[number]) => {
    const sent = value(`${name}.sent`);
    const delivered = value(`${name}.delivered`);
    return {
      sent,
      delivered,
      confirmed: value(`${name}.confirmed`),
      failed: value(`${name}.failed`),
      success_rate: sent === 0 ? 0 : Math.round((delivered / sent) * 100) / 100,
    };
  };
  const latencies = new Map([...totals].filter(([field]) => /^latency\.(\d+|slower)$/.test(field)));
  const timed = value("latency.count");
  const types = [...totals].filter(([field]) => field.startsWith("type:"));
  const statuses = STATUSES.map((status) => [status, value(`status.${status}`)] as const);
  return {
    start_date: startDate,
    end_date: endDate,
    total_notifications: value("total"),
    delivery_stats: {
      // An older version counted none that a replay may have delivered since.
      websocket: { ...channel("websocket"), offline: Math.max(0, value("websocket.offline")) },
      push: channel("push"),
      sms: channel("sms"),
    },
    notification_types: Object.fromEntries(
      types.map(([field, count]) => [field.slice("type:".length), count]),
    ),
    statuses: analyticsSchema.shape.statuses.parse(Object.fromEntries(statuses)),
    late: value("late"),
    response_times: {
      average_ms: timed === 0 ? 0 : Math.round(value("latency.sum") / timed),
      p95_ms: percentileMs(latencies, 0.95),
      p99_ms: percentileMs(latencies, 0.99),
    },
    connection_stats: {
      total_connections: census.total_connections,
      active_users: census.active_users,
    },
  };
}
