/** What a cluster answers while a master is replaced is a Redis that is away, not a bug of ours. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { isRedisUnavailable } from "../../src/platform/redis-failure.ts";

let redis: Redis;

beforeAll(() => {
  redis = new Redis(inject("redisUrl"));
});

afterAll(() => {
  redis.disconnect();
});

/** An error as the client makes it of a server's reply. */
async function replyOf(text: string): Promise<unknown> {
  return await redis.eval("return redis.error_reply(ARGV[1])", 0, text).catch((error) => error);
}

describe("a cluster that is changing", () => {
  it.each([
    "MOVED 866 127.0.0.1:7001",
    "ASK 866 127.0.0.1:7001",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CLUSTERDOWN The cluster is down",
    "READONLY You can't write against a read only replica.",
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down",
    "NOREPLICAS Not enough good replicas to write.",
    "ERR Script attempted to access a non local key in a cluster node script: 5c1e, on @user_script:42.",
  ])("is to be tried again: %s", async (text) => {
    expect(isRedisUnavailable(await replyOf(text))).toBe(true);
  });

  it.each(["CROSSSLOT Keys in request don't hash to the same slot", "ERR unknown command 'FOO'"])(
    "is no excuse for a bug: %s",
    async (text) => {
      expect(isRedisUnavailable(await replyOf(text))).toBe(false);
    },
  );

  it("is to be tried again where the client gave up", () => {
    const messages = [
      "Too many Cluster redirections. Last error: ReplyError: MOVED 866 127.0.0.1:7001",
      "Cluster isn't ready and enableOfflineQueue options is false",
      "None of startup nodes is available",
      "Cluster is ended.",
    ];
    for (const message of messages) expect(isRedisUnavailable(new Error(message))).toBe(true);
  });
});
