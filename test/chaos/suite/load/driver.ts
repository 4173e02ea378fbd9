/** Sends the errands of a run at their times, whatever becomes of those before. */
import { setTimeout as delay } from "node:timers/promises";
import type { EventProducer } from "./producer.ts";
import type { Errand } from "./errand.ts";
import type { Service } from "./service.ts";

/** Items of one bulk request. */
const BULK_SIZE = 8;

export interface LoadDriver {
  /** Resolves when all that was asked for has been accepted. */
  readonly done: Promise<void>;
  /** Asks for nothing more. */
  stop(): void;
  /** How many errands are on their way at the moment. */
  underWay(): number;
}

/** An open loop: what takes long holds nothing else up. */
export function driveLoad(
  errands: readonly Errand[],
  ways: { readonly service: Service; readonly producer: EventProducer },
): LoadDriver {
  const { service, producer } = ways;
  let underWay = 0;
  let stopped = false;

  async function count(work: Promise<void>, items: number): Promise<void> {
    underWay += items;
    try {
      await work;
    } finally {
      underWay -= items;
    }
  }

  async function drive(): Promise<void> {
    const startedAt = performance.now();
    const all: Promise<void>[] = [];
    let bulk: Errand[] = [];
    const sendBulk = (): void => {
      if (bulk.length > 0) all.push(count(service.sendBulk(bulk), bulk.length));
      bulk = [];
    };
    for (const errand of errands) {
      const waitMs = startedAt + errand.atMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      if (stopped) break;
      switch (errand.by) {
        case "bulk":
          bulk.push(errand);
          if (bulk.length === BULK_SIZE) sendBulk();
          break;
        case "rest":
          all.push(count(service.send(errand), 1));
          break;
        case "kafka":
        case "domain":
          all.push(count(producer.send(errand), 1));
          break;
      }
    }
    sendBulk();
    await Promise.all(all);
  }

  const done = drive();
  // Whoever waits for it hears of a failure; it may come before.
  done.catch(() => {});
  return {
    done,
    stop() {
      stopped = true;
    },
    underWay: () => underWay,
  };
}
