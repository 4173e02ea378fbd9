/** Heartbeats of many sockets at once: nobody is forgotten, and no tick does the work of all. */
import { describe, expect, it } from "vitest";
import { createHeartbeat, type Pulse } from "../../src/gateway/heartbeat.ts";
import { createManualClock } from "../support/manual-clock.ts";

const SOCKETS = 3_000;

describe("sockets that all came back at the same moment", () => {
  it("get their heartbeats spread over the interval, each of them in every one", () => {
    const clock = createManualClock();
    const start = clock.now();
    const beats: { socket: number; second: number }[] = [];
    const sockets: Pulse[] = Array.from({ length: SOCKETS }, (_, socket) => ({
      expiresAt: Infinity,
      nextBeatAt: 0,
      silentAt: 0,
      beat: () => void beats.push({ socket, second: (clock.now() - start) / 1_000 }),
      checkSlow: () => {},
      close: () => {
        throw new Error("nobody was silent for too long");
      },
    }));
    const heartbeat = createHeartbeat({
      heartbeatIntervalMs: 30_000,
      heartbeatTimeoutMs: 90_000,
      clock,
      sockets: { each: (visit) => sockets.forEach(visit), size: () => ({ connections: SOCKETS }) },
    });
    for (const socket of sockets) heartbeat.begin(socket);
    heartbeat.start();
    for (let second = 0; second < 75; second += 1) {
      clock.advance(1_000);
      for (const socket of sockets) heartbeat.pong(socket);
    }

    const perSecond = Map.groupBy(beats, ({ second }) => second);
    const busiest = Math.max(...Array.from(perSecond.values(), ({ length }) => length));
    expect(busiest).toBeLessThanOrEqual(SOCKETS / 10);
    for (const own of Map.groupBy(beats, ({ socket }) => socket).values()) {
      const [first = 0, second = 0] = own.map((beat) => beat.second);
      expect(first).toBeLessThanOrEqual(45);
      expect(second - first).toBe(30);
    }
    expect(new Set(beats.map(({ socket }) => socket)).size).toBe(SOCKETS);
  });
});
