/**
 * Notices a subscription that has gone silent. A network that swallows everything looks like one on
 * which nothing is said: left alone, the system would notice after hours.
 */
import type { Cancel, Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";
import type { Subscriber } from "./redis.ts";

/** So often it is asked for a sign of life, and so long it has for that. */
const CHECK_MS = 5_000;

/** Connects anew what gives no answer, again and again. Returns what ends the watch. */
export function watchSubscriber(deps: {
  readonly subscriber: Pick<Subscriber, "ping" | "disconnect">;
  readonly clock: Pick<Clock, "every">;
  readonly log: Logger;
}): Cancel {
  const { subscriber, clock, log } = deps;
  let asked = false;

  async function check(): Promise<void> {
    if (asked) {
      log.warn("a subscription is silent; connecting anew");
      subscriber.disconnect(true);
      return;
    }
    asked = true;
    try {
      await subscriber.ping();
    } catch (error) {
      log.debug({ err: error }, "a subscription broke while it was asked for a sign of life");
    } finally {
      asked = false;
    }
  }

  return clock.every(CHECK_MS, () => void check());
}
