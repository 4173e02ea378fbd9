/** What producers may write and this client's types deny. */
import type { KafkaMessage } from "kafkajs";
import { expect, it } from "vitest";
import { receivedRecord } from "../../../src/platform/kafka/received-record.ts";

function messageWith(headers: string): KafkaMessage {
  return {
    key: null,
    value: Buffer.from("{}"),
    timestamp: "1788249600000",
    attributes: 0,
    offset: "7",
    headers: JSON.parse(headers),
  };
}

it("reads a record with headers that have no value, as producers in other languages write them", () => {
  const message = messageWith('{"plain":"text","without":null,"twice":["one",null]}');
  expect(receivedRecord("lessons", 0, message)).toMatchObject({
    topic: "lessons",
    partition: 0,
    offset: "7",
    headers: { plain: Buffer.from("text"), without: Buffer.from(""), twice: Buffer.from("") },
  });
});
