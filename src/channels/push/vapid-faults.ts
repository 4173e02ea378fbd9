/**
 * Push services that refuse our VAPID keys (401, 403). That is a fault of this installation, not of a
 * browser: nothing is pruned for it, and it must not stay unseen, as nobody there gets a push.
 */
import type { Clock } from "../../platform/clock.ts";
import type { Logger } from "../../platform/logger.ts";

/** A line for every message would hide all others. */
const LINE_EVERY_MS = 60_000;
/** A service that nobody subscribes at any more is never tried again: no news after a day. */
const FORGET_MS = 86_400_000;
/** As many as there are circuit breakers. */
const MAX_FAULTS = 256;

/** What a push service said about the key that a message was signed with. */
export interface KeyAnswer {
  readonly origin: string;
  /**
   * Of the key; undefined if the subscription's key is configured no more. Then nobody was asked: it is
   * told of and counted, but says nothing of how keys fare, since keys are retired on purpose.
   */
  readonly keyId: string | undefined;
}

export interface VapidFaults {
  /** @param detail such as `http 403` */
  refused(answer: KeyAnswer, detail: string): void;
  /** A message was taken: that key is in order there. */
  taken(answer: KeyAnswer): void;
  /** Whether some push service refuses one of our keys, as far as is known. */
  stand(): boolean;
}

interface Fault {
  readonly isOfKey: boolean;
  lastAt: number;
  lineAt: number;
  /** Since the last line. */
  count: number;
}

export function createVapidFaults(options: {
  readonly clock: Pick<Clock, "now">;
  readonly logger: Pick<Logger, "error" | "info">;
  /** Counts each one, by origin. */
  readonly onRefused: (origin: string) => void;
  /** Something changed: the state of health is another. */
  readonly onChange: () => void;
}): VapidFaults {
  const { clock, logger } = options;
  const faults = new Map<string, Fault>();
  const nameOf = ({ origin, keyId = "" }: KeyAnswer): string => `${keyId} ${origin}`;

  function makeRoom(): void {
    const [oldest] = faults.keys();
    if (faults.size >= MAX_FAULTS && oldest !== undefined) faults.delete(oldest);
  }

  return {
    refused(answer, detail) {
      const now = clock.now();
      options.onRefused(answer.origin);
      const name = nameOf(answer);
      const known = faults.get(name);
      if (known === undefined) makeRoom();
      const isOfKey = answer.keyId !== undefined;
      const fault = known ?? { isOfKey, lastAt: now, lineAt: Number.NEGATIVE_INFINITY, count: 0 };
      faults.set(name, fault);
      fault.lastAt = now;
      fault.count += 1;
      if (now - fault.lineAt >= LINE_EVERY_MS) {
        const { origin, keyId } = answer;
        logger.error(
          { event: "push.keys_refused", origin, key_id: keyId, detail, messages: fault.count },
          "a push service does not take messages signed with this VAPID key",
        );
        fault.lineAt = now;
        fault.count = 0;
      }
      if (known === undefined && isOfKey) options.onChange();
    },

    taken(answer) {
      // Most have none, and each message comes by here.
      if (faults.size === 0 || !faults.delete(nameOf(answer))) return;
      const { origin, keyId } = answer;
      logger.info({ event: "push.keys_taken", origin, key_id: keyId }, "taken again");
      options.onChange();
    },

    stand() {
      const now = clock.now();
      for (const [name, { lastAt }] of faults) {
        if (lastAt + FORGET_MS < now) faults.delete(name);
      }
      return faults.values().some(({ isOfKey }) => isOfKey);
    },
  };
}
