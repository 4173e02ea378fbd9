/**
 * Repeats each frame on the Redis channel `teacher:{user_id}:notifications`, for services that listen
 * there. Best effort: whoever needs every message opens a socket, which has a history.
 */
import { frameText, type HistoryEntry } from "../../contract/node-message.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Redis } from "../../platform/redis.ts";

export interface UserMirror {
  /** Sends the text that clients get; returns at once and never throws. `body` is a `NotificationBody`. */
  publish(userId: string, place: Pick<HistoryEntry, "replayId" | "epoch">, body: string): void;
}

/** A Redis that answers this slowly is not waited for with more in memory: 1 MB to 64 MB of frames. */
const MAX_IN_FLIGHT = 1_000;

/** Other services know it, so it has no key prefix of ours. */
function mirrorChannel(userId: string): string {
  return `teacher:${userId}:notifications`;
}

export function createUserMirror(deps: {
  /** A "command" connection of its own: frames must not stand before the ledger's scripts. */
  readonly redis: Pick<Redis, "publish">;
  readonly logger: Pick<Logger, "warn">;
}): UserMirror {
  const { redis, logger } = deps;
  let inFlight = 0;
  /** Since the last one that went well: one line tells of all of them. */
  let lost = 0;

  function lose(error?: unknown): void {
    lost += 1;
    if (lost === 1) logger.warn({ err: error }, "mirror.frames_lost");
  }

  function recover(): void {
    if (lost > 0) logger.warn({ frames: lost }, "mirror.recovered");
    lost = 0;
  }

  return {
    publish(userId, place, body) {
      if (inFlight >= MAX_IN_FLIGHT) return lose();
      inFlight += 1;
      redis
        .publish(mirrorChannel(userId), frameText(place, body))
        .then(recover, lose)
        .finally(() => {
          inFlight -= 1;
        });
    },
  };
}
