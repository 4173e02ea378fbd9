/** Frames on the channel that other services know: the text clients get, and never in the way. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createUserMirror } from "../../src/channels/websocket/user-mirror.ts";
import { createLogger, createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});

afterAll(async () => {
  await store.close();
});

const place = { replayId: 7, epoch: "e1" };

describe("the mirror of a person's frames", () => {
  it("sends what a client gets, on the channel of that person", async () => {
    const user = randomUUID();
    const heard: string[] = [];
    const listener = connectRedis(store.url, "subscriber");
    listener.on("message", (_channel, text) => heard.push(text));
    await listener.subscribe(`teacher:${user}:notifications`);
    const mirror = createUserMirror({ redis: store.redis, logger: createSilentLogger() });
    mirror.publish(user, place, '{"type":"announcement"}');
    mirror.publish(randomUUID(), place, '{"type":"not for this one"}');
    mirror.publish(user, { ...place, replayId: 8 }, '{"type":"announcement"}');
    await expect
      .poll(() => heard.map((text): unknown => JSON.parse(text)))
      .toEqual([
        { replay_id: "7", epoch: "e1", type: "announcement" },
        { replay_id: "8", epoch: "e1", type: "announcement" },
      ]);
    listener.disconnect();
  });

  it("holds nothing up while Redis is away, and says once that frames are lost", async () => {
    const lines: string[] = [];
    const answers: PromiseWithResolvers<number>[] = [];
    const mirror = createUserMirror({
      redis: {
        publish: () => {
          const answer = Promise.withResolvers<number>();
          answers.push(answer);
          return answer.promise;
        },
      },
      logger: createLogger({
        level: "info",
        destination: { write: (line) => void lines.push(line) },
      }),
    });
    for (let count = 0; count < 1_500; count += 1) mirror.publish("anna", place, "{}");
    expect(answers.length).toBeLessThan(1_500);
    expect(lines).toHaveLength(1);
    for (const { reject } of answers) reject(new Error("Connection is closed."));
    // Once all of these have failed there is room again.
    const before = answers.length;
    await expect
      .poll(() => {
        mirror.publish("anna", place, "{}");
        return answers.length;
      })
      .toBeGreaterThan(before);
    for (const { resolve } of answers) resolve(1);
    await expect.poll(() => lines.length).toBe(2);
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { msg: "mirror.frames_lost" },
      { msg: "mirror.recovered" },
    ]);
  });
});
