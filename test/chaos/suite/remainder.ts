/** What is left to be read, delivered and told: from Kafka's offsets and the ledger's own lists. */
import type { Keyspace } from "../../../src/platform/keyspace.ts";
import type { Redis } from "../../../src/platform/redis.ts";
import { outcomesKey } from "../../../src/tracking/outcome-entries.ts";
import { behind, openStream, type Stream } from "../../trace/stream.ts";
import type { Remainder } from "./quiet.ts";

const DOMAIN_TOPICS = ["huleedu.student.created.v1"];
/** Without their prefix, those of them that are written to. */
export const INGEST_TOPICS = [
  "huleedu.notification.teacher.requested.v1",
  "notifications.requested.v1",
];

export interface RemainderReader {
  readonly left: Remainder;
  close(): Promise<void>;
}

export async function openRemainder(options: {
  readonly servers: string;
  readonly topicPrefix: string;
  /** Of the ingest role; the projector's ends with -projector. */
  readonly group: string;
  readonly redis: Redis;
  readonly keyspace: Keyspace;
}): Promise<RemainderReader> {
  const { redis, keyspace, group } = options;
  const stream: Stream = await openStream(options.servers, options.topicPrefix);
  const shards = Array.from({ length: keyspace.shards }, (_, shard) => shard);

  async function unread(topics: readonly string[], reader: string): Promise<string[]> {
    return behind(await stream.ends(topics), await stream.committed(reader));
  }

  async function total(count: (shard: number) => Promise<number>): Promise<number> {
    const counts = await Promise.all(shards.map(count));
    return counts.reduce((sum, one) => sum + one, 0);
  }

  return {
    async left() {
      const unsettled = await total((shard) => redis.zcard(keyspace.sharded(shard, "due")));
      const untold = await total((shard) => redis.xlen(outcomesKey(keyspace, shard)));
      return [
        ...(await unread(DOMAIN_TOPICS, `${group}-projector`)),
        ...(await unread(INGEST_TOPICS, group)),
        ...(unsettled === 0 ? [] : [`${unsettled} notifications to settle`]),
        ...(untold === 0 ? [] : [`${untold} outcomes to tell`]),
      ];
    },
    close: () => stream.close(),
  };
}
