/**
 * Reads a piece of a topic once, for a person who looks at it: no offset is committed, and those who
 * consume the topic are not disturbed.
 */
import { randomUUID } from "node:crypto";
import type { Admin, Consumer, EachBatchPayload } from "kafkajs";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { KafkaConnection } from "./connection.ts";
import { receivedRecord } from "./received-record.ts";
import type { ChunkHandler } from "./records.ts";
import { originOf } from "./set-up-faults.ts";

/** The records of one partition from `from` up to, but without, `to`. */
export interface TopicRange {
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** Kafka was there, but did not give what it had promised. */
export class TopicReadError extends Error {
  override readonly name = "TopicReadError";
}

export interface TopicReader {
  /** Where every partition begins and ends now, in order; undefined if there is no such topic. */
  extent(topic: string): Promise<TopicRange[] | undefined>;
  /**
   * Hands over what the ranges hold: of each partition in order, some hundred records at a time, the
   * next when the handler has resolved.
   * @throws what the handler throws; what the client throws if Kafka fails; TopicReadError if
   *   nothing comes for half a minute
   */
  read(topic: string, ranges: readonly TopicRange[], onRecords: ChunkHandler): Promise<void>;
}

/** So many that the handler can work in batches, so few that heartbeats between them are in time. */
const CHUNK_RECORDS = 500;
/** A broker lets a new group wait 3 s for further members; anything much longer is a failure. */
const STALL_MS = 30_000;
const FETCH_WAIT_MS = 200;
/** How long an end waits for a membership that is just being given, to be able to give it back. */
const JOIN_PATIENCE_MS = 10_000;
/** A coordinator may take a moment to see that the last member has left. */
const FORGET_TRIES = 20;
const BETWEEN_TRIES_MS = 250;
/** What the client gives up on as if it were for good, such as a broker that is still loading. */
const RETRY = { initialRetryTime: 200, retries: 5, restartOnFailure: async () => true };

export function createTopicReader(deps: {
  readonly connection: KafkaConnection;
  /** In front of the names of the short-lived groups, so that rights can be given to them. */
  readonly group: string;
  readonly clock: Pick<Clock, "after">;
}): TopicReader {
  const { group, clock } = deps;
  const kafka = deps.connection.client;
  return {
    async extent(topic) {
      const admin = kafka.admin();
      await admin.connect();
      try {
        if (!(await admin.listTopics()).includes(topic)) return undefined;
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets
          .map(({ partition, low, high }) => ({ partition, from: BigInt(low), to: BigInt(high) }))
          .sort((one, other) => one.partition - other.partition);
      } finally {
        await admin.disconnect();
      }
    },

    async read(topic, ranges, onRecords) {
      const open = new Map(
        ranges.filter(({ from, to }) => from < to).map((range) => [range.partition, { ...range }]),
      );
      if (open.size === 0) return;
      const groupId = `${group}-reader-${randomUUID()}`;
      const consumer = kafka.consumer({
        groupId,
        allowAutoTopicCreation: false,
        maxWaitTimeInMs: FETCH_WAIT_MS,
        retry: RETRY,
      });
      try {
        await consumer.connect();
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consume({ consumer, topic, open, onRecords, clock });
      } finally {
        await consumer.disconnect();
        await forget(groupId);
      }
    },
  };

  /** An empty group vanishes by itself as well; until then it would stand in every list of groups. */
  async function forget(groupId: string): Promise<void> {
    const admin = kafka.admin();
    try {
      await admin.connect();
      for (let tries = 1; !(await isDeleted(admin, groupId)) && tries < FORGET_TRIES; tries += 1) {
        await new Promise<void>((resolve) => clock.after(BETWEEN_TRIES_MS, resolve));
      }
    } catch {
      // Not permitted, or gone already.
    } finally {
      await admin.disconnect();
    }
  }
}

/**
 * @returns false while it still has a member
 * @throws what else Kafka has against it
 */
async function isDeleted(admin: Admin, groupId: string): Promise<boolean> {
  try {
    await admin.deleteGroups([groupId]);
    return true;
  } catch (error) {
    if (error instanceof Error && isNotEmpty(originOf(error))) return false;
    throw error;
  }
}

const notEmpty = z.object({
  groups: z.tuple([z.object({ error: z.object({ type: z.literal("NON_EMPTY_GROUP") }) })]),
});

function isNotEmpty(error: Error): boolean {
  return notEmpty.safeParse(error).success;
}

/** What is still to be read of a partition. */
interface OpenRange {
  readonly partition: number;
  from: bigint;
  readonly to: bigint;
}

/** Resolves when nothing is left open. */
async function consume(deps: {
  readonly consumer: Consumer;
  readonly topic: string;
  readonly open: Map<number, OpenRange>;
  readonly onRecords: ChunkHandler;
  readonly clock: Pick<Clock, "after">;
}): Promise<void> {
  const { consumer, topic, open, onRecords, clock } = deps;
  let joining = Promise.resolve();
  const reading = new Promise<void>((resolve, reject) => {
    const end = (settle: () => void): void => {
      cancelStall();
      open.clear();
      settle();
    };
    const stall = (): void => {
      const text = `Kafka sent nothing of ${topic} for ${STALL_MS / 1_000} s`;
      end(() => reject(new TopicReadError(text)));
    };
    let cancelStall = clock.after(STALL_MS, stall);
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) end(() => reject(payload.error));
    });
    // Nothing is committed, so each join begins where we say.
    consumer.on(consumer.events.GROUP_JOIN, () => {
      for (const { partition, from } of open.values()) {
        consumer.seek({ topic, partition, offset: String(from) });
      }
    });

    const eachBatch = async (given: EachBatchPayload): Promise<void> => {
      const { batch } = given;
      const range = open.get(batch.partition);
      if (range === undefined) return;
      cancelStall();
      cancelStall = clock.after(STALL_MS, stall);
      const wanted = batch.messages.filter(
        ({ offset }) => BigInt(offset) >= range.from && BigInt(offset) < range.to,
      );
      for (let at = 0; at < wanted.length; at += CHUNK_RECORDS) {
        const chunk = wanted.slice(at, at + CHUNK_RECORDS);
        try {
          await onRecords(chunk.map((message) => receivedRecord(topic, batch.partition, message)));
        } catch (error) {
          return end(() => reject(error));
        }
        // After a new join the same records come again: what has been handed over stays so.
        range.from = BigInt(chunk.at(-1)?.offset ?? range.from) + 1n;
        await given.heartbeat();
      }
      const next = BigInt(batch.lastOffset()) + 1n;
      if (next > range.from) range.from = next;
      if (range.from >= range.to) open.delete(batch.partition);
      if (open.size === 0) end(resolve);
    };

    joining = consumer
      .run({ autoCommit: false, eachBatch })
      .catch((error: unknown) => end(() => reject(error)));
  });
  try {
    await reading;
  } finally {
    // The client does not leave a group that it is just joining: it would stay its member, unheard
    // of, until its session ends.
    await atMost(JOIN_PATIENCE_MS, joining, clock);
  }
}

async function atMost(ms: number, done: Promise<void>, clock: Pick<Clock, "after">): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.after(ms, late.resolve);
  await Promise.race([done, late.promise]);
  cancel();
}
