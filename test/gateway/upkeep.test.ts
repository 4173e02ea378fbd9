/** A node with thousands of users: each is looked after once in an interval, never all at once. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Room } from "../../src/gateway/room.ts";
import { createUpkeep } from "../../src/gateway/upkeep.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import type { Position } from "../../src/tracking/history.ts";
import { createManualClock } from "../support/manual-clock.ts";

const USERS = 3_000;

function startUpkeep(history: () => Promise<Position[]>) {
  const clock = createManualClock();
  const log = createSilentLogger();
  const start = clock.now();
  const writes: { userId: string; second: number; sockets: number }[] = [];
  const rooms = Array.from({ length: USERS }, (_, index) => {
    const room = new Room(`user-${index}`, {
      history: { since: async () => Promise.reject(new Error("nobody lacks anything")) },
      answers: { add: () => {} },
      frameOf: () => {
        throw new Error("nothing is sent");
      },
      onSent: () => {},
      log,
    });
    room.checkedAt = start;
    return room;
  });
  const repaired = new Set<string>();
  const upkeep = createUpkeep({
    clock,
    log,
    presenceIntervalMs: 30_000,
    hub: {
      rooms: () => rooms.values(),
      users: () => rooms.map(({ userId }) => userId),
      socketsOf: () => 1,
      size: () => ({ users: USERS, connections: USERS }),
      meanAgeMs: () => 0,
      repair: (positions) => positions.forEach((_position, userId) => repaired.add(userId)),
    },
    presence: {
      async write(users) {
        const second = (clock.now() - start) / 1_000;
        for (const { userId, sockets } of users) writes.push({ userId, second, sockets });
      },
      writeCensus: async () => {},
      removeCensus: async () => {},
    },
    history: { positions: history },
  });
  upkeep.start();
  return {
    upkeep,
    writes,
    repaired,
    pass: async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1_000);
        await turn();
      }
    },
  };
}

const positions = async (): Promise<Position[]> =>
  Array.from({ length: USERS }, () => ({ epoch: "e1", id: 1 }));

describe("users that all came back at the same moment", () => {
  it("are looked after spread over the interval, each of them in every one", async () => {
    const { writes, repaired, pass } = startUpkeep(positions);
    await pass(75);
    const perSecond = Map.groupBy(writes, ({ second }) => second);
    const busiest = Math.max(...Array.from(perSecond.values(), ({ length }) => length));
    expect(busiest).toBeLessThanOrEqual(USERS / 10);
    const perUser = Map.groupBy(writes, ({ userId }) => userId);
    expect(perUser.size).toBe(USERS);
    for (const own of perUser.values()) {
      const [first = 0, second = 0] = own.map((write) => write.second);
      expect(first).toBeLessThanOrEqual(45);
      expect(second - first).toBe(30);
    }
    expect(repaired.size).toBe(USERS);
  });

  it("are all looked after at once when messages may have passed by", async () => {
    const { upkeep, repaired } = startUpkeep(positions);
    await upkeep.repair();
    expect(repaired.size).toBe(USERS);
  });

  it("are not written again by a comparison that was under way when the node stopped", async () => {
    const { upkeep, writes } = startUpkeep(positions);
    const comparing = upkeep.repair();
    await upkeep.stop();
    await comparing;
    const last = new Map(writes.map(({ userId, sockets }) => [userId, sockets]));
    expect([...last.values()].filter((sockets) => sockets > 0)).toEqual([]);
  });

  it("are looked after again soon when Redis did not answer", async () => {
    let failing = true;
    const { repaired, pass } = startUpkeep(async () =>
      failing ? Promise.reject(new Error("Redis is away")) : await positions(),
    );
    await pass(31);
    expect(repaired.size).toBe(0);
    failing = false;
    await pass(3);
    expect(repaired.size).toBe(USERS);
  });
});
