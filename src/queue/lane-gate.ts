/**
 * Who works when in one process: what is urgent at once, the bulk lane in between. Queues that never
 * wait for one another still share a turn of Node's loop and one Redis, and four partitions of a full
 * bulk lane leave neither of them a gap.
 */
import type { Clock } from "../platform/clock.ts";

export interface LaneGate {
  /** Runs at once. */
  urgent(work: () => Promise<void>): Promise<void>;
  /**
   * Works the items in order. While urgent ones are about: a small part at a time, one after the
   * other over all callers, each once nothing urgent is in hand. Otherwise: all of them at once.
   */
  bulk<T>(items: readonly T[], work: (part: readonly T[]) => Promise<void>): Promise<void>;
  /** Resolves when nothing urgent is in hand, or after a while: for what may run side by side. */
  letUrgentPass(): Promise<void>;
}

/** Urgent ones that never end, or one that hangs, must not starve the bulk lane. */
const MAX_WAIT_MS = 50;
/** Urgent ones are about: where the last was no longer ago than this, the next may come any moment. */
const RECENTLY_MS = 1_000;
/** With 25 at a time, the p95 of critical notes behind low ones was 9 ms above the unloaded one, not 2. */
const PART_SIZE = 10;
/** A part that took long took long because others wanted the machine. */
const MAX_REST_MS = 50;

export function createLaneGate(clock: Pick<Clock, "now" | "after">): LaneGate {
  let urgentInHand = 0;
  let lastUrgentAt = Number.NEGATIVE_INFINITY;
  let quiet = Promise.withResolvers<void>();
  /** Resolves when the last of the bulk lane that asked is done, and has rested. */
  let queue: Promise<void> = Promise.resolve();

  async function letUrgentPass(): Promise<void> {
    if (urgentInHand === 0) return;
    const waited = Promise.withResolvers<void>();
    const cancel = clock.after(MAX_WAIT_MS, waited.resolve);
    await Promise.race([quiet.promise, waited.promise]);
    cancel();
  }

  const areUrgentAbout = (): boolean =>
    urgentInHand > 0 || clock.now() - lastUrgentAt <= RECENTLY_MS;

  /** Half of the time is left to others. */
  async function rest(tookMs: number): Promise<void> {
    if (!areUrgentAbout()) return;
    await new Promise<void>((resolve) => clock.after(Math.min(tookMs, MAX_REST_MS), resolve));
  }

  async function inTurn(work: () => Promise<void>): Promise<void> {
    let tookMs = 0;
    const done = queue.then(async () => {
      await letUrgentPass();
      const startedAt = clock.now();
      try {
        await work();
      } finally {
        tookMs = clock.now() - startedAt;
      }
    });
    queue = done.catch(() => {}).then(() => rest(tookMs));
    await done;
  }

  return {
    letUrgentPass,

    async urgent(work) {
      if (urgentInHand === 0) quiet = Promise.withResolvers();
      urgentInHand += 1;
      try {
        await work();
      } finally {
        urgentInHand -= 1;
        lastUrgentAt = clock.now();
        if (urgentInHand === 0) quiet.resolve();
      }
    },

    async bulk(items, work) {
      let at = 0;
      while (at < items.length) {
        if (!areUrgentAbout()) return await work(items.slice(at));
        const part = items.slice(at, at + PART_SIZE);
        at += PART_SIZE;
        await inTurn(() => work(part));
      }
    },
  };
}
