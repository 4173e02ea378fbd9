/** Finding notes by their replay ids: the right ones, in any epoch, and no more of the list than that. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHistory, type History } from "../../src/tracking/history.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { createTestPublisher, type TestPublisher } from "./publisher.ts";
import { eventually } from "./test-node.ts";

const clock = createManualClock();
let store: TestRedis;
let publisher: TestPublisher;
let history: History;

beforeAll(async () => {
  store = await openTestRedis();
  publisher = await createTestPublisher({ ...store, clock });
  history = createHistory({ ...store, clock, size: 100 });
});
afterAll(async () => {
  publisher.close();
  await store.close();
});

interface Published {
  readonly epoch: string;
  readonly replayId: number;
  readonly noteId: string;
}

async function publish(user: string, epochs: readonly string[]): Promise<Published[]> {
  const published = [];
  let current = "e1";
  for (const epoch of epochs) {
    const begins = epoch === current ? {} : { epoch };
    current = epoch;
    const { noteId, replayId } = await publisher.publish(user, begins);
    published.push({ epoch, replayId: Number(replayId), noteId });
  }
  return published;
}

describe("notes in a history", () => {
  it("are those of the epoch and range that is asked for", async () => {
    const epochs = ["e1", "e1", "e1", "e2", "e3", "e3", "e3", "e3"];
    const published = await publish("anna", epochs);
    const edges = [0, 1, 2, 3, 4, 1003, 1004, 1005, 2004, 2005, 2006, 2007, 2008, 2009, 1e15 - 1];
    for (const epoch of ["e1", "e2", "e3", "e4", ""]) {
      for (const above of [-1, ...edges]) {
        for (const through of edges) {
          const found = await history.notes("anna", { epoch, above, through });
          const expected = published.filter(
            (note) => note.epoch === epoch && above < note.replayId && note.replayId <= through,
          );
          expect(found, `${epoch} ${above} ${through}`).toEqual(
            expected.map(({ replayId, noteId }) => ({ replayId, noteId })),
          );
        }
      }
    }
  });

  it("are only those that are kept", async () => {
    await publish(
      "bo",
      Array.from({ length: 105 }, () => "e1"),
    );
    const found = await history.notes("bo", { epoch: "e1", above: 3, through: 8 });
    expect(found.map(({ replayId }) => replayId)).toEqual([6, 7, 8]);
    expect(await history.notes("bo", { epoch: "e1", above: 1, through: 5 })).toEqual([]);
  });

  it("are none of a user who never had one", async () => {
    expect(await history.notes("cy", { epoch: "", above: 0, through: 9 })).toEqual([]);
    expect(await history.notes("cy", { epoch: "e1", above: 0, through: 9 })).toEqual([]);
  });

  it("are found without reading other messages", async () => {
    await publish("di", [...Array.from({ length: 20 }, () => "e1"), "e2", "e2", "e2"]);
    const key = store.keyspace.sharded(store.keyspace.shardOfUser("di"), "hist:di");
    const monitor = await store.redis.monitor();
    const reads: string[][] = [];
    let ended = false;
    monitor.on("monitor", (_time: string, [command = "", ...args]: string[]) => {
      const isRange = command.toLowerCase() === "lrange";
      if (isRange && args[0] === key) reads.push(args.slice(1));
      if (command.toLowerCase() === "get" && args[0] === `${key}-end`) ended = true;
    });
    await history.notes("di", { epoch: "e2", above: 1021, through: 1022 });
    await history.notes("di", { epoch: "e2", above: 1022, through: 1099 });
    await history.notes("di", { epoch: "e2", above: 0, through: 1000 });
    await history.notes("di", { epoch: "e2", above: 1023, through: 1099 });
    await history.notes("di", { epoch: "e1", above: 0, through: 2 });
    await store.redis.get(`${key}-end`);
    await eventually(() => ended).toBe(true);
    monitor.disconnect();
    expect(reads).toEqual([
      // Of two elements each, from the newest on; of older epochs all that may be theirs.
      ["2", "3"],
      ["0", "1"],
      ["6", "201"],
    ]);
  });
});
