/**
 * Sharded channels in a Redis Cluster. Each is heard on the master of its slot; when the slot moves,
 * the new master is listened to before the old one is left.
 */
import { EventEmitter } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Redis as RedisServer, type Cluster } from "ioredis";
import { connectCluster, homeOf, type ClusterPlace } from "./redis-cluster.ts";
import type { Subscriber } from "./redis.ts";

const SUBSCRIBE_TIMEOUT_MS = 1_000;
/** Between tries while the master of a channel cannot be reached. */
const RETRY_MS = 100;

/** A connection to one node, and which channels it hears. */
interface Listener {
  readonly home: string;
  readonly redis: RedisServer;
}

/** Its own view of the cluster is ready later than it is. */
export interface ClusterSubscriber extends Subscriber {
  readonly topology: Cluster;
}

export function createClusterSubscriber(place: ClusterPlace): ClusterSubscriber {
  const cluster = connectCluster(place, "subscriber");
  const events = new EventEmitter();
  const channels = new Set<string>();
  const listeners = new Map<string, Listener>();
  const heardBy = new Map<string, Listener>();
  let following: Promise<void> | undefined;
  let closed = false;

  /** Channels that are not heard where their slot is. */
  function findAstray(): string[] {
    if (closed) return [];
    return [...channels].filter((channel) => {
      const home = homeOf(cluster, channel);
      return home === undefined || heardBy.get(channel)?.home !== home;
    });
  }

  /** Forgets what a listener heard; true if that was anything. */
  function forget(listener: Listener): boolean {
    let some = false;
    for (const [channel, by] of heardBy) {
      if (by === listener) some = heardBy.delete(channel);
    }
    return some;
  }

  function open(home: string): Listener {
    const at = home.lastIndexOf(":");
    const redis = new RedisServer({
      ...place.access,
      host: home.slice(0, at),
      port: Number(home.slice(at + 1)),
      // What is to be heard, and where, is decided here.
      autoResubscribe: false,
      retryStrategy: () => null,
      connectTimeout: SUBSCRIBE_TIMEOUT_MS,
      commandTimeout: SUBSCRIBE_TIMEOUT_MS,
    });
    const listener = { home, redis };
    listeners.set(home, listener);
    redis.on("error", () => {});
    redis.on("smessage", (channel: string, text: string) => {
      events.emit("smessage", channel, text);
    });
    redis.on("end", () => {
      if (listeners.get(home) !== listener) return;
      listeners.delete(home);
      interrupt(listener);
    });
    // It gave up a slot: which one it does not say, so all it hears are asked for again.
    redis.on("moved", () => interrupt(listener));
    return listener;
  }

  function interrupt(listener: Listener): void {
    const some = forget(listener);
    if (closed) return;
    if (some) events.emit("close");
    cluster.refreshSlotsCache(() => void follow());
  }

  async function settle(channel: string): Promise<void> {
    const home = homeOf(cluster, channel);
    if (home === undefined) throw new Error(`nobody has the slot of ${channel}`);
    const listener = listeners.get(home) ?? open(home);
    await listener.redis.ssubscribe(channel);
    const before = heardBy.get(channel);
    heardBy.set(channel, listener);
    if (before !== undefined && before !== listener) {
      before.redis.sunsubscribe(channel).catch(() => {});
    }
  }

  function closeIdle(): void {
    const busy = new Set(heardBy.values());
    for (const listener of listeners.values()) {
      if (busy.has(listener)) continue;
      listeners.delete(listener.home);
      listener.redis.disconnect();
    }
  }

  async function followAll(): Promise<void> {
    let moved = false;
    for (let astray = findAstray(); astray.length > 0; astray = findAstray()) {
      const results = await Promise.allSettled(astray.map(settle));
      moved ||= results.some(({ status }) => status === "fulfilled");
      if (results.every(({ status }) => status === "fulfilled")) continue;
      cluster.refreshSlotsCache();
      await delay(RETRY_MS);
    }
    if (!moved || closed) return;
    closeIdle();
    events.emit("ready");
  }

  /** Resolves once every channel is heard where its slot is; one run at a time. */
  function follow(): Promise<void> {
    following ??= followAll().finally(() => {
      following = undefined;
    });
    return following;
  }

  cluster.on("refresh", () => void follow());
  cluster.on("pmessage", (pattern: string, channel: string, text: string) => {
    events.emit("pmessage", pattern, channel, text);
  });

  return {
    topology: cluster,
    async ssubscribe(channel) {
      channels.add(channel);
      await follow();
    },
    async sunsubscribe(channel) {
      channels.delete(channel);
      const listener = heardBy.get(channel);
      heardBy.delete(channel);
      await listener?.redis.sunsubscribe(channel);
    },
    // These reach every node: any of them will do, and the client finds another by itself.
    psubscribe: async (pattern) => await cluster.psubscribe(pattern),
    punsubscribe: async (pattern) => await cluster.punsubscribe(pattern),
    on: (event, listener) => events.on(event, listener),
    off: (event, listener) => events.off(event, listener),
    async ping() {
      const asked = [...listeners.values()].map(async ({ redis }) => {
        // What does not answer in time ends here, and is replaced.
        await redis.ping().catch(() => redis.disconnect());
      });
      await Promise.all(asked);
    },
    disconnect(again = false) {
      closed = !again;
      for (const { redis } of listeners.values()) redis.disconnect();
      if (closed) cluster.disconnect();
    },
  };
}
