/** A corner of the run's Redis that belongs to one suite: its own key prefix, emptied at the end. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { inject } from "vitest";
import { createKeyspace, type Keyspace } from "../../src/platform/keyspace.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { waitForRedis } from "../../src/platform/redis-wait.ts";

/** More than one, so that code which mixes shards up is found out; few, so that all are met. */
const TEST_SHARDS = 4;
/** So many that every master has some. */
const CLUSTER_SHARDS = 16;
const SCAN_COUNT = 1_000;

export interface Corner {
  readonly url: string;
  readonly prefix: string;
  readonly keyspace: Keyspace;
  close(): Promise<void>;
}

export interface TestRedis extends Corner {
  readonly redis: Redis;
}

/** A corner of a cluster, which ends with its suite: nothing needs to be emptied. */
export function openClusterCorner(url: string): Corner {
  const prefix = newPrefix();
  const keyspace = createKeyspace({ shards: CLUSTER_SHARDS, prefix });
  return { url, prefix, keyspace, close: async () => {} };
}

function newPrefix(): string {
  return `t-${randomBytes(6).toString("hex")}:`;
}

/** @param url of a Redis other than the run's */
export async function openTestRedis(url: string = inject("redisUrl")): Promise<TestRedis> {
  const prefix = newPrefix();
  const redis = connectRedis(url, "command");
  await waitForRedis(redis, createSilentLogger());

  return {
    url,
    prefix,
    keyspace: createKeyspace({ shards: TEST_SHARDS, prefix }),
    redis,
    async close() {
      let cursor = "0";
      do {
        const [next, keys] = await redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", SCAN_COUNT);
        if (keys.length > 0) await redis.unlink(...keys);
        cursor = next;
      } while (cursor !== "0");
      redis.disconnect();
    },
  };
}
