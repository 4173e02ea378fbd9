/** Works an ordered list for a few seconds: batch after batch, then waits a while for more. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../platform/clock.ts";
import type { Logger } from "../platform/logger.ts";
import type { EnvelopeItem } from "./envelope.ts";
import type { Batch, ListOutlet } from "./ordered-list.ts";
import { DEATHS_TOGETHER, type WorkSuspects } from "./suspects.ts";

/**
 * How long a shift waits for more. Long enough that a queue with an item a second costs no jobs at
 * all; short, because a worker that is killed keeps its list until BullMQ sees the job stalled.
 */
const LINGER_SECONDS = 1;
/**
 * Then another worker may have the list. Between half of it and one and a half: with one length for
 * all, a worker that has every list would hand every list to the next.
 */
const SHIFT_MS = 5_000;

export interface ShiftOptions {
  /** Its name, for the log. */
  readonly queue: string;
  readonly list: ListOutlet;
  /** May throw: the notes of that batch come back through the due index. */
  readonly process: (items: readonly EnvelopeItem[]) => Promise<void>;
  /** The same, for notes that were in hand when workers died. */
  readonly workSuspects: WorkSuspects;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
  /** 0 to 1. */
  readonly random: () => number;
}

export interface Shift {
  /** Resolves at the end of the shift: true if something is left, and the next one must be added. */
  work(): Promise<boolean>;
  /** The shift at work ends once its batch is done. */
  close(): void;
}

export function createShift(options: ShiftOptions): Shift {
  const { queue, list, clock, logger } = options;
  let closing = false;

  async function workOff(batch: Batch): Promise<void> {
    const isSuspect = batch.returns >= DEATHS_TOGETHER;
    try {
      await (isSuspect ? options.workSuspects : options.process)(batch.items());
    } catch (error) {
      logger.error({ err: error, queue }, "a batch failed; the due index retries");
    }
  }

  return {
    async work() {
      const name = randomUUID();
      const until = clock.now() + SHIFT_MS * (0.5 + options.random());
      let done = "";
      try {
        let batch: Batch | undefined = await list.begin(name);
        while (batch !== undefined && batch.size > 0) {
          await workOff(batch);
          done = batch.first;
          if (closing || clock.now() >= until) break;
          batch = await list.take(name, LINGER_SECONDS);
        }
      } catch (error) {
        // The list is taken up again as soon as Redis answers: `finish` waits for that.
        if (!closing) logger.warn({ err: error, queue }, "a shift was broken off");
      }
      return await list.finish(name, done);
    },
    close() {
      closing = true;
      list.close();
    },
  };
}
