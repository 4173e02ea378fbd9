/** Remembers in Redis which events were sent back, so that none is sent twice by mistake. */
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import type { KafkaRecord } from "../../platform/kafka/records.ts";
import type { Keyspace } from "../../platform/keyspace.ts";
import { runForEach, type Redis } from "../../platform/redis.ts";

export interface RedriveMarks {
  /** When each was sent back, RFC 3339; undefined where it was not. */
  read(letters: readonly KafkaRecord[]): Promise<(string | undefined)[]>;
  /** They were sent back now. */
  write(letters: readonly KafkaRecord[]): Promise<void>;
}

/** Longer than any usual retention of the topic. */
const KEEP_SECONDS = 400 * 86_400;

const markReply = z.string().nullable();

export function createRedriveMarks(deps: {
  readonly redis: Redis;
  readonly keyspace: Pick<Keyspace, "plain">;
  readonly clock: Pick<Clock, "now">;
}): RedriveMarks {
  const { redis, keyspace, clock } = deps;
  // The time is part of it: a topic that was deleted and made anew begins at offset 0 again.
  const keyOf = ({ topic, partition, offset, timestamp }: KafkaRecord): string =>
    keyspace.plain(`redriven:${topic}:${partition}:${offset}:${timestamp}`);
  return {
    async read(letters) {
      const replies = await runForEach(redis, letters, (letter) => ["get", keyOf(letter)]);
      return replies.map((reply) => markReply.parse(reply) ?? undefined);
    },
    async write(letters) {
      const at = new Date(clock.now()).toISOString();
      await runForEach(redis, letters, (letter) => ["set", keyOf(letter), at, "EX", KEEP_SECONDS]);
    },
  };
}
