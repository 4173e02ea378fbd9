/**
 * Has a heap of events flow in at the rate at which it is delivered, in a process that does both.
 * Reading is faster: left alone it runs ahead until the process no longer remembers what it has
 * accepted, and has to read each note back from Redis, open it and parse it.
 */
import type { Clock } from "../platform/clock.ts";
import type { ChunkHandler } from "../platform/kafka/records.ts";

/** Half of what a process remembers (fresh-notes.ts), as four partitions may pass at once. */
const MAX_WAITING = 5_000;
/** What comes in smaller parts is no heap: it is behind by less than it takes to look. */
const HEAP_RECORDS = 100;
/** Delivery works off a hundred notes meanwhile. */
const LOOK_EVERY_MS = 20;
/**
 * Goes on then all the same. What waits may be somebody else's backlog, or stand still, and behind
 * this chunk there may be what is urgent, which passes everything once it is read.
 */
const MAX_PAUSE_MS = 1_000;

/** @returns `handle`, which waits its turn with chunks of a heap. */
export function paceByDelivery(
  handle: ChunkHandler,
  deps: {
    /** Notes that wait for delivery. */
    readonly waiting: () => Promise<number>;
    readonly clock: Pick<Clock, "now" | "after">;
  },
): ChunkHandler {
  const { clock } = deps;
  /** One look serves all partitions that wait. */
  let looking: Promise<number> | undefined;

  function look(): Promise<number> {
    looking ??= deps.waiting().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function untilRoom(): Promise<void> {
    const until = clock.now() + MAX_PAUSE_MS;
    while ((await look()) > MAX_WAITING && clock.now() < until) {
      await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve));
    }
  }

  return async (records) => {
    if (records.length >= HEAP_RECORDS) await untilRoom();
    await handle(records);
  };
}
