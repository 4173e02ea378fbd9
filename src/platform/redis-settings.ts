/** Compares a Redis with what Schoolbell's promises need of it. */
import { Cluster, type Redis as RedisServer } from "ioredis";
import type { Redis } from "./redis.ts";

/** Sharded publish/subscribe came with 7.0. */
export const LEAST_REDIS_MAJOR = 7;

/**
 * How far behind a gateway node may fall before Redis drops its connection. Redis' own default,
 * 32 MB, is reached within a second by one announcement to a large school.
 */
export const PUBSUB_BUFFER = {
  hardBytes: 256 * 1024 * 1024,
  softBytes: 64 * 1024 * 1024,
  softSeconds: 60,
} as const;

/**
 * Asks the server for its settings; in a cluster each, for a replica is a master in the end.
 * @returns one sentence for each setting that is wrong or cannot be read; empty when all is well
 */
export async function checkRedisSettings(
  redis: Redis | Pick<RedisServer, "info" | "config">,
): Promise<string[]> {
  if (!(redis instanceof Cluster)) return await checkServer(redis);
  const faults = await Promise.all(redis.nodes("all").map(checkNode));
  return faults.flat();
}

/** A replica may be down, and be looked at when it is a master: others start meanwhile. */
async function checkNode(node: RedisServer): Promise<string[]> {
  try {
    const faults = await checkServer(node);
    return faults.map((fault) => `${node.options.host}:${node.options.port}: ${fault}`);
  } catch (error) {
    if (node.options.readOnly === true) return [];
    throw error;
  }
}

async function checkServer(redis: Pick<RedisServer, "info" | "config">): Promise<string[]> {
  const info = parseInfo(
    await redis.info("server"),
    await redis.info("memory"),
    await redis.info("persistence"),
  );
  const warnings: string[] = [];

  const version = info.get("redis_version") ?? "unknown";
  if (!(Number.parseInt(version, 10) >= LEAST_REDIS_MAJOR)) {
    warnings.push(`Redis is version ${version}; ${LEAST_REDIS_MAJOR}.0 or newer is needed`);
  }
  if (info.get("aof_enabled") !== "1") {
    warnings.push(
      "appendonly is off: what was accepted is lost when Redis restarts; set it to yes",
    );
  }
  const policy = info.get("maxmemory_policy") ?? "unknown";
  if (policy !== "noeviction") {
    warnings.push(
      `maxmemory-policy is ${policy}: a full Redis would drop notifications silently; ` +
        "set it to noeviction",
    );
  }
  const buffer = await readPubsubBuffer(redis);
  if (buffer === undefined) {
    warnings.push(
      "client-output-buffer-limit for pubsub could not be read (CONFIG is not allowed)",
    );
  } else if (!isLargeEnough(buffer)) {
    warnings.push(
      "client-output-buffer-limit for pubsub is too small: a burst would cut gateways off; " +
        "set it to pubsub 256mb 64mb 60",
    );
  }
  return warnings;
}

function parseInfo(...sections: string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of sections.join("\r\n").split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return values;
}

interface BufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
}

/** Hosted services often forbid CONFIG; that is not an error. */
async function readPubsubBuffer(
  redis: Pick<RedisServer, "config">,
): Promise<BufferLimit | undefined> {
  let reply: unknown;
  try {
    reply = await redis.config("GET", "client-output-buffer-limit");
  } catch {
    return undefined;
  }
  const value: unknown = Array.isArray(reply) ? reply[1] : undefined;
  const match = /pubsub (\d+) (\d+) \d+/.exec(typeof value === "string" ? value : "");
  if (match === null) return undefined;
  return { hardBytes: Number(match[1]), softBytes: Number(match[2]) };
}

function isLargeEnough(buffer: BufferLimit): boolean {
  return (
    reaches(buffer.hardBytes, PUBSUB_BUFFER.hardBytes) &&
    reaches(buffer.softBytes, PUBSUB_BUFFER.softBytes)
  );
}

/** Zero means no limit. */
function reaches(limit: number, wanted: number): boolean {
  return limit === 0 || limit >= wanted;
}
