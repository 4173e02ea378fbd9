/** What is committed and what is not, told step by step on a clock that is turned by hand. */
import type { EachBatchPayload } from "kafkajs";
import { describe, expect, it } from "vitest";
import {
  createPartitionReaders,
  type PartitionReaders,
} from "../../../src/platform/kafka/partition-reader.ts";
import type { KafkaRecord } from "../../../src/platform/kafka/records.ts";
import { createSilentLogger } from "../../../src/platform/logger.ts";
import { createManualClock } from "../../support/manual-clock.ts";

const TOPIC = "lessons";
const COMMIT_MS = 250;
/** A commit that is due is sent in the next turn of the loop. */
const aTurn = () => new Promise((resolve) => setImmediate(resolve));
const commitsIn = (calls: readonly string[]) => calls.filter((call) => call.startsWith("commit"));

/** A batch of one partition as the client hands it over, and what was done with it. */
function batchOf(
  first: number,
  count: number,
  faults: { commit?: Error; heartbeat?: Error; stopping?: boolean } = {},
) {
  const calls: string[] = [];
  const headers = { trace: [Buffer.from("old"), Buffer.from("new")], plain: "text" };
  const messages = Array.from({ length: count }, (_, index) => ({
    offset: String(first + index),
    key: null,
    value: Buffer.from(String(first + index)),
    timestamp: "1788249600000",
    attributes: 0,
    headers,
  }));
  const payload: EachBatchPayload = {
    batch: {
      topic: TOPIC,
      partition: 0,
      highWatermark: String(first + count + 7),
      messages,
      isEmpty: () => count === 0,
      firstOffset: () => String(first),
      lastOffset: () => String(first + count - 1),
      offsetLag: () => "0",
      offsetLagLow: () => "0",
    },
    resolveOffset: (offset) => void calls.push(`resolve ${offset}`),
    async heartbeat() {
      if (faults.heartbeat !== undefined) throw faults.heartbeat;
      calls.push("heartbeat");
    },
    pause() {
      calls.push("pause");
      return () => void calls.push("resume");
    },
    async commitOffsetsIfNecessary(offsets) {
      if (faults.commit !== undefined) throw faults.commit;
      calls.push(`commit ${offsets?.topics[0]?.partitions[0]?.offset}`);
    },
    uncommittedOffsets: () => ({ topics: [] }),
    isRunning: () => faults.stopping !== true,
    isStale: () => false,
  };
  return { payload, calls, faults };
}

function setUp(onChunk: (records: readonly KafkaRecord[]) => Promise<void>, maxChunkRecords = 500) {
  const clock = createManualClock();
  const refused: string[] = [];
  const readers: PartitionReaders = createPartitionReaders({
    onChunk,
    maxChunkRecords,
    heartbeatMs: 3_000,
    commitWithinMs: COMMIT_MS,
    onCommitFailed: ({ message }, failures) => void refused.push(`${message} ${failures}`),
    clock,
    logger: createSilentLogger(),
  });
  readers.assign({ [TOPIC]: [0] });
  return { clock, readers, refused };
}

describe("a batch", () => {
  it("is handed over in chunks, one after the other", async () => {
    const chunks: string[] = [];
    const { payload, calls } = batchOf(10, 5);
    const { readers } = setUp(async (records) => {
      chunks.push(records.map(({ offset }) => offset).join(" "));
      calls.push("chunk");
    }, 2);
    await readers.read(payload);
    expect(chunks).toEqual(["10 11", "12 13", "14"]);
    expect(calls.filter((call) => call !== "heartbeat")).toEqual(
      ["11", "13", "14"].flatMap((last) => ["chunk", `resolve ${last}`]),
    );
    expect(readers.positions()).toEqual([{ topic: TOPIC, partition: 0, paused: false, lag: 7 }]);
  });

  it("gives of a header that occurs twice the last", async () => {
    let records: readonly KafkaRecord[] = [];
    const { readers } = setUp(async (given) => void (records = given));
    await readers.read(batchOf(0, 1).payload);
    expect(records[0]).toEqual({
      topic: TOPIC,
      partition: 0,
      offset: "0",
      key: null,
      value: Buffer.from("0"),
      headers: { trace: Buffer.from("new"), plain: Buffer.from("text") },
      timestamp: 1_788_249_600_000,
    });
  });

  it("keeps the membership up while a chunk takes long", async () => {
    const gate = Promise.withResolvers<void>();
    const { payload, calls } = batchOf(0, 1);
    const { readers, clock } = setUp(() => gate.promise);
    const reading = readers.read(payload);
    // The chunk is begun once the one before has ended, which is a turn of the loop away.
    await expect.poll(() => readers.busy()).toBe(1);
    clock.advance(9_000);
    expect(calls).toEqual(["heartbeat", "heartbeat", "heartbeat"]);
    gate.resolve();
    await reading;
    clock.advance(9_000);
    expect(calls.filter((call) => call === "heartbeat")).toHaveLength(4);
  });
});

describe("a chunk whose handler fails", () => {
  it("is not committed, and its partition waits longer each time, at most half a minute", async () => {
    const { readers, clock } = setUp(() => Promise.reject(new Error("Redis is down")));
    for (const longestMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const { payload, calls } = batchOf(0, 3);
      await readers.read(payload);
      expect(calls).toEqual(["pause"]);
      expect(readers.positions()[0]?.paused).toBe(true);
      clock.advance(longestMs / 2 - 1);
      expect(calls).toEqual(["pause"]);
      clock.advance(longestMs / 2 + 1);
      expect(calls).toEqual(["pause", "resume"]);
      expect(readers.positions()[0]?.paused).toBe(false);
    }
  });

  it("starts with a short wait again after one that succeeded", async () => {
    let isBroken = true;
    const { readers, clock } = setUp(async () => {
      if (isBroken) throw new Error("Redis is down");
    });
    for (let time = 0; time < 5; time += 1) await readers.read(batchOf(0, 1).payload);
    isBroken = false;
    await readers.read(batchOf(0, 1).payload);
    isBroken = true;
    const { payload, calls } = batchOf(1, 1);
    await readers.read(payload);
    clock.advance(1_000);
    expect(calls).toEqual(["pause", "resume"]);
  });
});

describe("a chunk of an assignment that is over", () => {
  it("is neither committed nor followed by the rest of its batch", async () => {
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    const { payload, calls } = batchOf(0, 4);
    const { readers } = setUp(async (records) => {
      begun.push(records[0]?.offset ?? "");
      await gate.promise;
    }, 2);
    const reading = readers.read(payload);
    await expect.poll(() => begun).toEqual(["0"]);
    readers.assign({});
    gate.resolve();
    await reading;
    expect(begun).toEqual(["0"]);
    expect(calls).toEqual([]);
  });

  it("is waited for before the same partition is handled again", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let begun = 0;
    const { readers } = setUp(async () => {
      const gate = gates[begun];
      begun += 1;
      await gate?.promise;
    });
    const stale = readers.read(batchOf(0, 2).payload);
    await expect.poll(() => begun).toBe(1);
    readers.assign({ [TOPIC]: [0] });
    const fresh = batchOf(0, 2);
    const reading = readers.read(fresh.payload);
    await aTurn();
    expect(begun).toBe(1);
    gates[0]?.resolve();
    await stale;
    await expect.poll(() => begun).toBe(2);
    gates[1]?.resolve();
    await reading;
    await readers.commit();
    expect(commitsIn(fresh.calls)).toEqual(["commit 2"]);
  });
});

describe("what is dealt with", () => {
  it("is committed soon, once for all chunks, and nothing that is not", async () => {
    const gate = Promise.withResolvers<void>();
    const { payload, calls } = batchOf(10, 6);
    let chunks = 0;
    const { readers, clock } = setUp(async () => {
      chunks += 1;
      if (chunks === 3) await gate.promise;
    }, 2);
    const reading = readers.read(payload);
    await expect.poll(() => chunks).toBe(3);
    expect(commitsIn(calls)).toEqual([]);
    clock.advance(COMMIT_MS);
    await aTurn();
    expect(commitsIn(calls)).toEqual(["commit 14"]);
    gate.resolve();
    await reading;
    clock.advance(COMMIT_MS);
    await aTurn();
    clock.advance(10 * COMMIT_MS);
    await aTurn();
    expect(commitsIn(calls)).toEqual(["commit 14", "commit 16"]);
  });

  it("is committed before the membership ends, also what ends after that was asked", async () => {
    const { readers } = setUp(async () => {});
    const { payload, calls } = batchOf(0, 2);
    await readers.read(payload);
    await readers.finish();
    expect(commitsIn(calls)).toEqual(["commit 2"]);
    const late = batchOf(2, 2);
    await readers.read(late.payload);
    expect(commitsIn(late.calls)).toEqual(["commit 4"]);
  });

  it("is committed at once where the client has been stopped", async () => {
    const { payload, calls, faults } = batchOf(0, 2);
    const { readers } = setUp(async () => void (faults.stopping = true));
    await readers.read(payload);
    expect(commitsIn(calls)).toEqual(["commit 2"]);
  });

  it("is committed before the group is given out anew, which the client is told of", async () => {
    const { readers } = setUp(async () => {});
    const { payload, calls } = batchOf(0, 2, { heartbeat: new Error("the group is rebalancing") });
    await expect(readers.read(payload)).rejects.toThrow("rebalancing");
    expect(commitsIn(calls)).toEqual(["commit 2"]);
  });
});

describe("a commit that fails", () => {
  it("is made up for later, with what was done meanwhile", async () => {
    const { readers, clock, refused } = setUp(async () => {});
    const { payload, calls, faults } = batchOf(0, 3, { commit: new Error("connection closed") });
    await readers.read(payload);
    await readers.commit();
    expect(refused).toEqual(["connection closed 1"]);
    delete faults.commit;
    await readers.read(batchOf(3, 2).payload);
    clock.advance(2 * COMMIT_MS - 1);
    await aTurn();
    expect(commitsIn(calls)).toEqual([]);
    const last = batchOf(5, 1);
    await readers.read(last.payload);
    clock.advance(1);
    await aTurn();
    expect(commitsIn(last.calls)).toEqual(["commit 6"]);
  });

  it("is tried ever more slowly", async () => {
    const { readers, clock, refused } = setUp(async () => {});
    await readers.read(batchOf(0, 1, { commit: new Error("not allowed") }).payload);
    for (let tries = 0; tries < 10; tries += 1) {
      const before = refused.length;
      for (let waits = 2 ** Math.min(tries, 6); waits > 0; waits -= 1) {
        expect(refused).toHaveLength(before);
        clock.advance(COMMIT_MS);
        await aTurn();
      }
      expect(refused.at(-1)).toBe(`not allowed ${tries + 1}`);
    }
  });

  it("is forgotten after a rebalance: whoever has the partition now reads it again", async () => {
    const { readers, clock } = setUp(async () => {});
    const { payload, calls, faults } = batchOf(0, 3, { commit: new Error("rebalancing") });
    await readers.read(payload);
    await readers.commit();
    delete faults.commit;
    readers.assign({ [TOPIC]: [0] });
    await readers.commit();
    clock.advance(60_000);
    await aTurn();
    expect(commitsIn(calls)).toEqual([]);
  });
});
