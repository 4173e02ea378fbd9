/** Who is connected where: the sockets of a user per gateway node, and a census of the nodes. */
import { z } from "zod";
import type { Clock } from "../platform/clock.ts";
import type { Keyspace } from "../platform/keyspace.ts";
import { loadScript, type Redis } from "../platform/redis.ts";
import { byShard, spanOf } from "./shard-batches.ts";

/** Entries not rewritten for this long belong to a node that is gone. */
const STALE_MS = 90_000;

export interface Presence {
  /** Writes absolute socket counts of this node's users; 0 removes the entry. */
  write(users: readonly { readonly userId: string; readonly sockets: number }[]): Promise<void>;
  /** Tells how many sockets this node holds; an entry counts for 90 s. */
  writeCensus(entry: NodeCensus): Promise<void>;
  removeCensus(): Promise<void>;
}

export interface NodeCensus {
  readonly connections: number;
  readonly users: number;
  /** Mean age of the open sockets. */
  readonly ageSeconds: number;
}

/** The words of `GET /health`. */
export interface GatewayCensus {
  readonly total_connections: number;
  readonly active_users: number;
  readonly average_duration_seconds: number;
}

const censusSchema = z.object({
  connections: z.number(),
  users: z.number(),
  ageSeconds: z.number(),
  at: z.number(),
});

const CENSUS_KEY = "gateways";

/** All methods reject when Redis does not answer. */
export function createPresence(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly nodeId: string;
  /** One call for each shard, as a Redis Cluster needs; left out: as the connection is. */
  readonly apart?: boolean | undefined;
}): Presence {
  const { redis, keyspace, clock, nodeId } = deps;
  const censusKey = keyspace.plain(CENSUS_KEY);
  const span = spanOf(deps);
  // One call for many users: as commands of their own, each costs the gateway ten times as much.
  const runWrite = loadScript(redis, "schoolbellPresence", [
    new URL("lua/presence.lua", import.meta.url),
  ]);

  return {
    async write(users) {
      await byShard(
        users,
        ({ userId }) => keyspace.shardOfUser(userId),
        async (_shard, chunk) => {
          const keys = chunk.map(({ userId }) =>
            keyspace.sharded(keyspace.shardOfUser(userId), `here:${userId}`),
          );
          await runWrite(keys, [nodeId, clock.now(), ...chunk.map(({ sockets }) => sockets)]);
          return [];
        },
        span,
      );
    },

    async writeCensus({ connections, users, ageSeconds }) {
      const entry = JSON.stringify({ connections, users, ageSeconds, at: clock.now() });
      await redis.hset(censusKey, nodeId, entry);
    },

    async removeCensus() {
      await redis.hdel(censusKey, nodeId);
    },
  };
}

/**
 * Sums what the living gateway nodes told. A user with sockets on two nodes counts on both.
 * The average is over all open sockets.
 */
export async function readGatewayCensus(deps: {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
}): Promise<GatewayCensus> {
  const { redis, keyspace, clock } = deps;
  const key = keyspace.plain(CENSUS_KEY);
  const fields = Object.entries(await redis.hgetall(key));
  const entries = fields.map(([node, text]) => ({ node, ...parseCensus(text) }));
  const living = entries.filter(({ at }) => clock.now() - at <= STALE_MS);

  // A killed node cannot remove its own entry, so that whoever reads tidies up.
  const gone = entries.filter((entry) => !living.includes(entry)).map(({ node }) => node);
  if (gone.length > 0) await redis.hdel(key, ...gone);

  const total = living.reduce((sum, { connections }) => sum + connections, 0);
  const age = living.reduce((sum, entry) => sum + entry.ageSeconds * entry.connections, 0);
  return {
    total_connections: total,
    active_users: living.reduce((sum, { users }) => sum + users, 0),
    average_duration_seconds: total === 0 ? 0 : Math.round(age / total),
  };
}

function parseCensus(text: string): z.infer<typeof censusSchema> {
  return censusSchema.parse(JSON.parse(text));
}
