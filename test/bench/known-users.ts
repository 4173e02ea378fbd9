/**
 * Users whom the product knows: each has a history of one message, its place in it, and the settled
 * note. A few are made by the product itself; the others are copies of theirs within Redis, since a
 * million by the product's own path would take the better part of an hour on a busy machine.
 */
import type { Redis } from "ioredis";
import type { Keyspace } from "../../src/platform/keyspace.ts";
import { scanFrame } from "./frame-scan.ts";
import type { Product } from "./product.ts";
import { openSocket } from "./socket-client.ts";

const COPIES_AT_ONCE = 500;
const REPLAY_DEADLINE_MS = 10_000;

/** KEYS: history, place and note of the original. ARGV: start of these keys, then user and note each. */
const COPY_SCRIPT = `
local made = 0
for at = 2, #ARGV, 2 do
  made = made + redis.call('COPY', KEYS[1], ARGV[1] .. 'hist:' .. ARGV[at])
    + redis.call('COPY', KEYS[2], ARGV[1] .. 'meta:' .. ARGV[at])
    + redis.call('COPY', KEYS[3], ARGV[1] .. 'rec:' .. ARGV[at + 1])
end
return made`;
const COPIES_EACH = 3;

export interface Original {
  readonly user: string;
  readonly notificationId: string;
}

/**
 * Makes these users known, who are not yet.
 * @param originals their only message has settled; at least one in each shard
 */
export async function makeKnown(
  store: { readonly redis: Redis; readonly keyspace: Keyspace },
  strangers: readonly string[],
  originals: readonly Original[],
): Promise<void> {
  const { keyspace } = store;
  for (const [shard, users] of Map.groupBy(strangers, (user) => keyspace.shardOfUser(user))) {
    const original = originals.find(({ user }) => keyspace.shardOfUser(user) === shard);
    if (original === undefined) throw new Error(`nobody is known in shard ${shard}`);
    await copy(store, shard, original, users);
  }
}

async function copy(
  { redis, keyspace }: { readonly redis: Redis; readonly keyspace: Keyspace },
  shard: number,
  { user, notificationId }: Original,
  users: readonly string[],
): Promise<void> {
  const keys = [`hist:${user}`, `meta:${user}`, `rec:${notificationId}`].map((name) =>
    keyspace.sharded(shard, name),
  );
  for (let from = 0; from < users.length; from += COPIES_AT_ONCE) {
    const chunk = users.slice(from, from + COPIES_AT_ONCE);
    const names = chunk.flatMap((name) => [name, keyspace.newNoteId(name)]);
    const base = keyspace.sharded(shard, "");
    const made = await redis.eval(COPY_SCRIPT, keys.length, ...keys, base, ...names);
    if (made !== chunk.length * COPIES_EACH) {
      throw new Error(`only ${String(made)} keys of ${chunk.length} known users could be made`);
    }
  }
}

/** Opens the user's socket and asks for all that is kept. @returns how many messages came */
export async function replayedTo(product: Product, user: string): Promise<number> {
  const address = await product.socketAddress(user, "replay_from=0");
  const done = Promise.withResolvers<number>();
  let connected = false;
  let messages = 0;
  const socket = openSocket(address, {
    frame(bytes, from, to) {
      if (scanFrame(bytes, from, to) === undefined) connected = true;
      else messages += 1;
    },
    burst() {
      if (connected && messages > 0) done.resolve(messages);
    },
    closed: (reason) => done.reject(new Error(reason)),
  });
  const timer = setTimeout(() => done.resolve(messages), REPLAY_DEADLINE_MS);
  try {
    return await done.promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}
