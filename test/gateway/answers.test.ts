/** Answers to workers: the first after a pause at once, under load many in one message. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createAnswers } from "../../src/gateway/answers.ts";
import { parseAnswers, type NodeAnswer } from "../../src/contract/node-message.ts";
import { createSilentLogger } from "../../src/platform/logger.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { openTestRedis, type TestRedis } from "../support/redis.ts";
import { eventually } from "./test-node.ts";

let store: TestRedis;

beforeAll(async () => {
  store = await openTestRedis();
});
afterAll(async () => await store.close());

const newAnswer = (): NodeAnswer => ({
  noteId: randomUUID(),
  fence: 1,
  result: "written",
  sockets: 1,
});

describe("answers to one worker", () => {
  it("leave at once after a pause, then together, and none is left behind at the end", async () => {
    const clock = createManualClock();
    const answers = createAnswers({
      ...store,
      clock,
      log: createSilentLogger(),
      answerIntervalMs: 3,
      onUnheardAcks: () => {},
    });
    const messages: NodeAnswer[][] = [];
    const worker = connectRedis(store.url, "subscriber");
    worker.on("smessage", (_channel: string, text: string) => messages.push(parseAnswers(text)));
    await worker.ssubscribe(store.keyspace.plain("{w}:worker:w1"));

    const [first, second, third, last] = [newAnswer(), newAnswer(), newAnswer(), newAnswer()];
    answers.add("w1", first);
    await eventually(() => messages).toEqual([[first]]);
    answers.add("w1", second);
    // Time for it to leave and arrive, if it does not wait.
    await store.redis.ping();
    await worker.ping();
    answers.add("w1", third);
    clock.advance(3);
    await eventually(() => messages).toEqual([[first], [second, third]]);
    answers.add("w1", last);
    await answers.flush();
    await eventually(() => messages).toEqual([[first], [second, third], [last]]);
    worker.disconnect();
  });
});
