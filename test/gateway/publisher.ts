/** Publishes messages in the shapes that the websocket stage writes, without its ledger. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { parseAnswers, type NodeAnswer } from "../../src/contract/node-message.ts";
import type { Clock } from "../../src/platform/clock.ts";
import type { Keyspace } from "../../src/platform/keyspace.ts";
import { connectRedis } from "../../src/platform/redis.ts";

const PUBLISH_LUA = `
local base, user, note, payload, now = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local worker, wants_ack, silent, fresh_epoch = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local meta_key = base .. 'meta:' .. user
local epoch, last = unpack(redis.call('HMGET', meta_key, 'epoch', 'last'))
last = tonumber(last or '0')
if not epoch or fresh_epoch ~= '' then
  if epoch then last = last + 1000 end
  epoch = fresh_epoch ~= '' and fresh_epoch or 'e1'
  redis.call('HSET', meta_key, 'epoch', epoch, 'base', last)
end
local id = last + 1
redis.call('HSET', meta_key, 'last', id)
local place = id .. ' ' .. epoch .. ' ' .. note .. ' '
redis.call('LPUSH', base .. 'hist:' .. user, payload, place)
redis.call('LTRIM', base .. 'hist:' .. user, 0, 199)
local entry = place .. payload
redis.call('ZADD', base .. 'pend:' .. user, now + 300000, id)
local nodes = 0
if silent ~= '1' then
  local here = redis.call('HGETALL', base .. 'here:' .. user)
  for index = 1, #here, 2 do
    nodes = nodes + redis.call('SPUBLISH', base .. 'node:' .. here[index],
      user .. ' 7 ' .. worker .. ' ' .. wants_ack .. ' ' .. entry)
  end
end
return { tostring(id), epoch, nodes }
`;

const replySchema = z.tuple([z.string(), z.string(), z.number()]);

export interface PublishOptions {
  readonly wantsAck?: boolean;
  /** Only into the history: what a gateway misses while its subscription is interrupted. */
  readonly silent?: boolean;
  /** Begins this epoch, as after a restart of Redis. */
  readonly epoch?: string;
  readonly padding?: number;
  /** Who waits for the answer: nobody, if it is not `w1`. */
  readonly worker?: string;
}

export interface TestPublisher {
  publish(
    userId: string,
    options?: PublishOptions,
  ): Promise<{ noteId: string; replayId: string; epoch: string; nodes: number }>;
  /** All answers so far. */
  readonly answers: readonly NodeAnswer[];
  /** The first answer about this note with this result; waits for it. */
  answer(noteId: string, result?: NodeAnswer["result"]): Promise<NodeAnswer>;
  close(): void;
}

export async function createTestPublisher(deps: {
  readonly url: string;
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
}): Promise<TestPublisher> {
  const { url, redis, keyspace, clock } = deps;
  const subscriber = connectRedis(url, "subscriber");
  const answers: NodeAnswer[] = [];
  const waiting = new Set<() => void>();
  subscriber.on("smessage", (_channel: string, text: string) => {
    answers.push(...parseAnswers(text));
    for (const look of waiting) look();
  });
  await subscriber.ssubscribe(keyspace.plain("{w}:worker:w1"));

  return {
    answers,
    async publish(userId, options = {}) {
      const noteId = keyspace.newNoteId(userId);
      const payload = JSON.stringify({
        type: "test",
        notification_id: noteId,
        user: userId,
        padding: "x".repeat(options.padding ?? 0),
      });
      const reply = await redis.eval(
        PUBLISH_LUA,
        1,
        keyspace.sharded(keyspace.shardOfUser(userId), ""),
        userId,
        noteId,
        payload,
        clock.now(),
        options.worker ?? "w1",
        options.wantsAck === true ? "1" : "0",
        options.silent === true ? "1" : "0",
        options.epoch ?? "",
      );
      const [replayId, epoch, nodes] = replySchema.parse(reply);
      return { noteId, replayId, epoch, nodes };
    },
    answer: (noteId, result) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = answers.find(
            (answer) =>
              answer.noteId === noteId && (result === undefined || answer.result === result),
          );
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    close: () => subscriber.disconnect(),
  };
}
