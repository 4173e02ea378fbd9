/** Connections to a Redis Cluster: the same commands, each sent to the node that has its slot. */
import { Cluster, Command, type ClusterOptions, type Redis as RedisServer } from "ioredis";
import type { RedisPlace } from "./redis-place.ts";
import type { ConnectionKind } from "./redis.ts";

export type ClusterPlace = Extract<RedisPlace, { kind: "cluster" }>;

/** A node that does not answer must be a quick 503, not a hanging request. */
const COMMAND_TIMEOUT_MS = 1_000;
/** As on a single server: what a node does not answer must not pile up. */
const SILENCE_MS = 5_000;
const CONNECT_TIMEOUT_MS = 1_000;

/**
 * Between looks at who has which slots. A node that refuses or redirects says so itself; one that is
 * silent after its replica took over is only found out by this.
 */
const LOOK_MS = 1_000;

/** Of copies that are waited on: BullMQ gives a wait up after six seconds. */
const WAITING_LOOK_MS = 3_000;
/** Long enough for every node to end. */
const END_MS = 100;

/** One redirection is usual after a failover, two while slots are moved. */
const REDIRECTIONS = 5;
/** Those that wait try ten times a second, for ten minutes: longer than any failover. */
const PATIENT_REDIRECTIONS = 6_000;
const PATIENT_RETRY_MS = 100;

const baseOptions = ({ access }: ClusterPlace) =>
  ({
    clusterRetryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
    // A certificate is made out to a name: the address behind it would not be accepted.
    dnsLookup: (host, callback) => callback(null, host),
    redisOptions: { ...access, connectTimeout: CONNECT_TIMEOUT_MS },
  }) satisfies ClusterOptions;

/**
 * Fails fast. What was under way when its connection broke is not sent again, as on a single server:
 * it may have been done, and a script that is run twice answers that somebody else was first.
 */
class ImpatientCluster extends Cluster {
  override sendCommand(...args: Parameters<Cluster["sendCommand"]>): unknown {
    const [command] = args;
    // The client's own question whether all slots are served comes before it is ready.
    if (this.status !== "ready" && command.name !== "cluster") {
      command.reject(new Error("Cluster isn't ready and enableOfflineQueue options is false"));
      return command.promise;
    }
    // Over all redirections: the client's own limit begins where a node takes the command.
    command.setTimeout(COMMAND_TIMEOUT_MS);
    return super.sendCommand(...args);
  }

  /**
   * Where a slot is being moved, a key that is not on its old node is asked for on the new one. A script
   * that went there would take for missing what has not come yet, and make it anew: a due index, or a
   * history from 1. The move then stops at a key that both have. So the answer is 503 until it is over.
   */
  override handleError(...args: Parameters<Cluster["handleError"]>): void {
    const [error, , handlers] = args;
    if (error.message.startsWith("ASK ")) handlers.defaults();
    else super.handleError(...args);
  }
}

/**
 * Kinds as in `connectRedis`; a `subscriber` hears ordinary channels, sharded ones are for
 * `createClusterSubscriber`. It connects by itself and keeps trying until closed.
 */
export function connectCluster(place: ClusterPlace, kind: ConnectionKind): Cluster {
  const base = baseOptions(place);
  const cluster =
    kind === "command"
      ? new ImpatientCluster([...place.nodes], {
          ...base,
          slotsRefreshInterval: LOOK_MS,
          maxRedirections: REDIRECTIONS,
          retryDelayOnFailover: 0,
          retryDelayOnClusterDown: 0,
          redisOptions: {
            ...base.redisOptions,
            commandTimeout: COMMAND_TIMEOUT_MS,
            socketTimeout: SILENCE_MS,
            maxRetriesPerRequest: 0,
          },
        })
      : new Cluster([...place.nodes], {
          ...base,
          slotsRefreshInterval: LOOK_MS,
          maxRedirections: PATIENT_REDIRECTIONS,
          retryDelayOnMoved: PATIENT_RETRY_MS / 10,
          retryDelayOnFailover: PATIENT_RETRY_MS,
          retryDelayOnClusterDown: PATIENT_RETRY_MS,
          redisOptions: { ...base.redisOptions, maxRetriesPerRequest: null },
        });
  cluster.on("error", () => {});
  if (kind === "blocking") makeCopiesWait(cluster);
  return cluster;
}

/**
 * Copies of a patient connection, BullMQ's and ours, are there to wait on. What they wait for is not
 * sent again: BullMQ gives up a wait that takes longer than it asked for, and it begins anew by itself.
 */
function makeCopiesWait(cluster: Cluster): void {
  const duplicate = cluster.duplicate.bind(cluster);
  const duplicateToWait: Cluster["duplicate"] = (nodes, options) => {
    const copy = duplicate(nodes, {
      ...options,
      slotsRefreshInterval: WAITING_LOOK_MS,
      maxRedirections: REDIRECTIONS,
      retryDelayOnMoved: 0,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
    });
    endAndConnectInOrder(copy);
    return copy;
  };
  // The method is generic over what its options say of the form of replies, which are the same here.
  Reflect.set(cluster, "duplicate", duplicateToWait);
}

/**
 * Whoever closes a copy, to stop or to connect anew as BullMQ does, waits for its end and for what was
 * under way to fail. The client never comes to that in two cases. Where it has no node, between two
 * attempts to connect, there is none to wait for. And its state goes back to `close` for each node that
 * ends after it has ended: a command that its node hands back then is put by, to be sent never.
 *
 * Nor does it answer a `connect` that fails between the first node that was reached and the look whether
 * all slots are served, as long as a master is lost. BullMQ waits half a minute for that.
 */
function endAndConnectInOrder(cluster: Cluster): void {
  const disconnect = cluster.disconnect.bind(cluster);
  const connect = cluster.connect.bind(cluster);
  // Else it connects again by itself, whatever its state says meanwhile.
  let isToEnd = false;
  cluster.disconnect = (reconnect = false) => {
    isToEnd = !reconnect;
    // It ends one that never connected at once, and what still waits to be sent fails.
    if (isToEnd && cluster.nodes().length === 0 && cluster.status !== "end") {
      cluster.status = "wait";
    }
    disconnect(reconnect);
  };
  cluster.on("close", () => {
    setTimeout(() => {
      if (isToEnd && cluster.status === "close") cluster.disconnect();
    }, END_MS);
  });
  cluster.connect = () => {
    isToEnd = false;
    return answered(cluster, connect);
  };
}

/** Connects; rejects where the connection breaks off before it is ready, as well. */
function answered(cluster: Cluster, connect: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const onReached = (): void => {
      cluster.once("close", onLost);
    };
    const settle = (answer: () => void): void => {
      cluster.off("connect", onReached);
      cluster.off("close", onLost);
      answer();
    };
    const onLost = (): void => settle(() => reject(new Error("Connection is closed.")));
    cluster.once("connect", onReached);
    connect().then(
      () => settle(resolve),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}

/** The servers that writes go to: one, or the masters of a cluster. */
export function mastersOf(redis: RedisServer | Cluster): RedisServer[] {
  return redis instanceof Cluster ? redis.nodes("master") : [redis];
}

/** Which node has the slot of this key or channel; undefined while nobody has. */
export function homeOf(cluster: Pick<Cluster, "slots">, key: string): string | undefined {
  // Only to have its slot worked out.
  const slot = new Command("get", [key]).getSlot();
  return slot === null ? undefined : cluster.slots[slot]?.[0];
}
