/** Kafka is asked again where it may come round, and nowhere else. */
import {
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
} from "kafkajs";
import { expect, it } from "vitest";
import { patiently } from "./retriable.ts";

const NOT_YET = new KafkaJSProtocolError(
  Object.assign(new Error("not yet"), {
    type: "UNKNOWN_TOPIC_OR_PARTITION",
    code: 3,
    retriable: true,
  }),
);

/** Fails so once, then answers. */
function failingOnce(error: Error): () => Promise<string> {
  let asked = 0;
  return async () => {
    asked += 1;
    if (asked === 1) throw error;
    return "here";
  };
}

it.each([
  ["a topic that is not there yet", NOT_YET],
  [
    "a client that gave that up after its own tries",
    new KafkaJSNumberOfRetriesExceeded(NOT_YET, { retryCount: 1, retryTime: 700 }),
  ],
])("asks again after %s", async (_, error) => {
  expect(await patiently(failingOnce(error))).toBe("here");
});

it("passes on what will not pass", async () => {
  const refusal = new KafkaJSNonRetriableError("wrong");
  await expect(patiently(failingOnce(refusal))).rejects.toBe(refusal);
});
