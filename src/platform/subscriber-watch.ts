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
  let silent = false;

  async function check(): Promise<void> {
    if (asked) {
      // Said once: it is tried again and again for as long as Redis is away.
      if (!silent) log.warn("a subscription is silent; connecting anew");
      silent = true;
      subscriber.disconnect(true);
      return;
    }
    asked = true;
    try {
      await subscriber.ping();
      if (silent) log.info("a subscription answers again");
      silent = false;
    } catch (error) {
      log.debug({ err: error }, "a subscription broke while it was asked for a sign of life");
    } finally {
      asked = false;
    }
  }

  return clock.every(CHECK_MS, () => void check());
}
