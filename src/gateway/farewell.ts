/** A stop: tells each client when to come back, and closes its socket. */
import type { GoingAwayFrame } from "../contract/frames.ts";
import type { Clock } from "../platform/clock.ts";
import type { Connection } from "./connection.ts";

type Leaver = Pick<Connection, "control" | "close" | "terminate" | "whenClosed">;

/** Clients come back spread over so long at least, and not before the load balancer knows. */
const MIN_SPREAD_MS = 5_000;
const MIN_RETRY_MS = 250;

/**
 * One node that takes all of them in has to stand it beside its work. A return with five missed messages
 * takes 0.5 ms of its processor. On a machine that was busy ten times over, 500 a second waited 0.2 s in
 * the mean, 1,000 a second 1.8 s, and all 4,000 at once 5 s.
 */
const RETURNS_PER_SECOND = 500;

/** How long sockets get to say goodbye before they are cut. */
const GOODBYE_MS = 2_000;

export interface Farewell {
  /** What a client is told: each another time. */
  frame(): GoingAwayFrame;
  /** Resolves when all sockets are closed. */
  sayToAll(): Promise<void>;
}

export function createFarewell(deps: {
  readonly sockets: { each(visit: (socket: Leaver) => void): void };
  readonly clock: Pick<Clock, "after">;
  /** 0 to below 1. */
  readonly random: () => number;
}): Farewell {
  const { sockets, clock, random } = deps;
  let spreadMs = MIN_SPREAD_MS;

  function frame(): GoingAwayFrame {
    const retry = MIN_RETRY_MS + Math.floor(random() * spreadMs);
    return { type: "going_away", retry_after_ms: retry };
  }

  return {
    frame,

    async sayToAll() {
      const connections: Leaver[] = [];
      sockets.each((socket) => void connections.push(socket));
      spreadMs = Math.max(MIN_SPREAD_MS, (connections.length * 1_000) / RETURNS_PER_SECOND);
      const gone = connections.map((connection) => connection.whenClosed());
      const cancel = clock.after(GOODBYE_MS, () => {
        for (const connection of connections) connection.terminate();
      });
      for (const connection of connections) {
        connection.control(frame());
        connection.close("going_away", "going away");
      }
      await Promise.all(gone);
      cancel();
    },
  };
}
