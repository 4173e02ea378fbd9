/** Keeps what Redis knows of this node true, and this node's sockets up to date with Redis. */
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { Position } from "../tracking/history.ts";
import type { Presence } from "../tracking/presence.ts";
import type { Hub } from "./hub.ts";
import type { Room } from "./room.ts";

const CENSUS_INTERVAL_MS = 1_000;

/** Users that are rewritten and compared together; between two such groups other work gets its turn. */
const USERS_AT_A_TIME = 500;

/**
 * In each of so many ticks of an interval, those are looked after whose turn it is, and twice a tick's
 * share at most: those that came back together are thereby spread over half an interval, and stay so.
 */
const TICKS_PER_INTERVAL = 30;
const SHARE_PER_TICK = 2 / TICKS_PER_INTERVAL;
const MIN_USERS_PER_TICK = 100;
const MIN_TICK_MS = 10;

/** After a repair that failed, while Redis is coming back. */
const RETRY_MS = 1_000;

export interface Upkeep {
  start(): void;
  /** A socket of this user left: its presence is rewritten with others of the same turn. */
  changed(userId: string): void;
  /** Rewrites all presence, then compares all local users with their histories. */
  repair(): Promise<void>;
  /** Takes this node out of presence and census. */
  stop(): Promise<void>;
}

export function createUpkeep(deps: {
  readonly hub: Pick<Hub, "rooms" | "users" | "socketsOf" | "size" | "meanAgeMs" | "repair">;
  readonly presence: Presence;
  readonly history: { positions(userIds: readonly string[]): Promise<readonly Position[]> };
  readonly clock: Clock;
  readonly log: Logger;
  readonly presenceIntervalMs: number;
}): Upkeep {
  const { hub, presence, history, clock, log, presenceIntervalMs } = deps;
  const cancels: Cancel[] = [];
  let dirty = new Set<string>();
  let stopped = false;
  let repairing: Promise<void> | undefined;
  let again = false;
  let ticking = false;
  let cancelRetry: Cancel | undefined;

  const counted = (userIds: Iterable<string>): { userId: string; sockets: number }[] =>
    Array.from(userIds, (userId) => ({ userId, sockets: hub.socketsOf(userId) }));

  async function flush(): Promise<void> {
    const users = dirty;
    dirty = new Set();
    if (stopped) return;
    try {
      await presence.write(counted(users));
    } catch (error) {
      // Entries not rewritten run out; those of users still here are rewritten by the next repair.
      log.warn({ err: error }, "presence was not written");
    }
  }

  async function refresh(userIds: readonly string[]): Promise<void> {
    // First presence: what is published from here on reaches this node, the rest is read below.
    await presence.write(counted(userIds));
    const positions = await history.positions(userIds);
    const stands = new Map<string, Position>();
    for (const [index, userId] of userIds.entries()) {
      const position = positions[index];
      if (position !== undefined) stands.set(userId, position);
    }
    hub.repair(stands);
  }

  async function refreshAll(rooms: readonly Room[]): Promise<void> {
    try {
      for (let from = 0; from < rooms.length; from += USERS_AT_A_TIME) {
        // What is written after a stop would bring messages to a node that is gone.
        if (stopped) return;
        const group = rooms.slice(from, from + USERS_AT_A_TIME);
        for (const room of group) room.checkedAt = clock.now();
        await refresh(group.map(({ userId }) => userId));
      }
    } catch (error) {
      log.warn({ err: error }, "local users could not be compared with their histories");
      cancelRetry?.();
      if (!stopped) cancelRetry = clock.after(RETRY_MS, () => void repair());
    }
  }

  /** Those whose last turn is an interval ago, the share of one tick at most. */
  function dueRooms(): Room[] {
    const before = clock.now() - presenceIntervalMs;
    const share = Math.max(MIN_USERS_PER_TICK, Math.ceil(hub.size().users * SHARE_PER_TICK));
    const due: Room[] = [];
    for (const room of hub.rooms()) {
      if (room.checkedAt <= before) due.push(room);
      if (due.length === share) break;
    }
    return due;
  }

  async function tick(): Promise<void> {
    if (ticking || repairing !== undefined) return;
    const due = dueRooms();
    if (due.length === 0) return;
    ticking = true;
    await refreshAll(due);
    ticking = false;
  }

  /** One at a time; a call during a run has it run once more. */
  function repair(): Promise<void> {
    if (stopped) return Promise.resolve();
    if (repairing !== undefined) {
      again = true;
      return repairing;
    }
    again = false;
    cancelRetry?.();
    repairing = refreshAll([...hub.rooms()]).then(() => {
      repairing = undefined;
      return again ? repair() : undefined;
    });
    return repairing;
  }

  async function census(): Promise<void> {
    const { users, connections } = hub.size();
    const ageSeconds = hub.meanAgeMs() / 1_000;
    try {
      await presence.writeCensus({ connections, users, ageSeconds });
    } catch (error) {
      log.debug({ err: error }, "the census was not written");
    }
  }

  return {
    start() {
      const tickMs = Math.max(MIN_TICK_MS, Math.floor(presenceIntervalMs / TICKS_PER_INTERVAL));
      cancels.push(clock.every(tickMs, () => void tick()));
      cancels.push(clock.every(CENSUS_INTERVAL_MS, () => void census()));
      void census();
    },

    changed(userId) {
      if (dirty.size === 0) setImmediate(() => void flush());
      dirty.add(userId);
    },

    repair,

    async stop() {
      stopped = true;
      for (const cancel of cancels) cancel();
      cancelRetry?.();
      const gone = hub.users().map((userId) => ({ userId, sockets: 0 }));
      try {
        await presence.write(gone);
        await presence.removeCensus();
      } catch (error) {
        log.warn({ err: error }, "this node's presence was left to run out");
      }
    },
  };
}
